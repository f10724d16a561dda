import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { LaneNews, LaneOrder } from './threads.ts';
import { simulateLane } from './years.ts';

// It may run beside a station that is on the air.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const { keeper, options, lane } = workerData as LaneOrder;
const tell = (news: LaneNews) => parentPort?.postMessage(news);
const tally = await simulateLane(keeper, options, lane, (share) => tell({ share }));
if (tally !== null) tell({ tally });
