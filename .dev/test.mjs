// `npm test`: lint, types and all test projects, each to its end. What only computes runs beside what waits for real time.
// `npm test -- --only unit,scenario` takes some of them; what follows goes to vitest: `npm test -- --only e2e rig`.
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { platformName } from './packages.mjs';
import { prepareOrExit } from './prepare.mjs';
import { bin, root, runHere, succeeds } from './steps.mjs';

const CHECKS = {
  lint: [bin('biome'), ['check', '.']],
  types: ['npm', ['run', '--silent', 'types']],
};
const PROJECTS = ['unit', 'scenario', 'native', 'e2e'];
/** How many files at a time: what waits for processes and real time leaves two files on two cores idle by half. */
const WORKERS = { unit: 4, e2e: 3 };
/** What waits for real time leaves almost one of two cores idle; what keeps none itself takes that, one file at a time. */
const BESIDE = { e2e: ['scenario', 'native'] };
/** What has processes of its own is run three or four files at a time on two cores; so many that failed there are run once more, alone. */
const ALONE_AGAIN = { unit: 3, e2e: 3 };
/** Where the unit tests took longer than this the machine is slow today: fewer of the others run at a time, and more may fail once. */
const SLOW_UNIT_SECONDS = 220;
const WHERE_SLOW = { workers: { e2e: 2 }, again: { e2e: 8 } };
const STEPS = [...Object.keys(CHECKS), ...PROJECTS];

const { values, positionals } = parseArgs({
  options: { only: { type: 'string' } },
  allowPositionals: true,
});
const wanted = values.only ? values.only.split(',') : STEPS;
const unknown = wanted.filter((name) => !STEPS.includes(name));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}. --only takes some of: ${STEPS.join(', ')}`);
  process.exit(2);
}

let interrupted = false;
const reportPath = (project) => join(root, 'test', 'output', `${project}.json`);

/** What vitest's own report says; a file that could not even be loaded counts as one failed. */
function readReport(project, exitCode) {
  const nothing = { passed: 0, failed: exitCode === 0 ? 0 : 1, skipped: 0, failures: [] };
  if (!existsSync(reportPath(project))) return nothing;
  const report = JSON.parse(readFileSync(reportPath(project), 'utf8'));
  const failed = report.numFailedTests;
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  ).length;
  return {
    passed: report.numPassedTests,
    failed: failed + unloaded === 0 ? nothing.failed : failed + unloaded,
    skipped: report.numPendingTests + (report.numTodoTests ?? 0),
    failures: failuresOf(report),
  };
}

/** Each failed test's name and message: the summary ends with them, as a CI may keep only the last lines of a run. */
function failuresOf(report) {
  return report.testResults.flatMap((file) => {
    const failed = file.assertionResults.filter(({ status }) => status === 'failed');
    const tests = failed.map(({ fullName, failureMessages }) => ({
      name: fullName,
      message: failureMessages.join('\n'),
    }));
    const unloaded =
      file.status === 'failed' && failed.length === 0 ? [{ name: 'loading', message: file.message }] : [];
    return [...unloaded, ...tests].map((failure) => ({ file: relative(root, file.name), ...failure }));
  });
}

/** What is started by this runs only where nothing else wants to, as do all that it starts. */
const WHEN_IDLE = ['chrt', '--idle', '0'];

/** Where a log takes its words it gives way to what has the terminal. */
async function runVitest(project, { workers, files = positionals, log = null }) {
  rmSync(reportPath(project), { force: true });
  const [command, ...words] = [
    ...(log === null ? [] : WHEN_IDLE),
    ...[bin('vitest'), 'run', '--config', 'test/vitest.config.ts', '--project', project, '--passWithNoTests'],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath(project)}`],
    `--maxWorkers=${workers}`,
    ...files,
  ];
  const exitCode = await runHere(command, words, log === null ? {} : { stdio: ['ignore', log, log] });
  return readReport(project, exitCode);
}

/** To give way is of no use where all that runs here shares one allowance of CPU time, as in many a container. */
function mayRunBeside() {
  const allowances = ['/sys/fs/cgroup/cpu.max', '/sys/fs/cgroup/cpu/cpu.cfs_quota_us'];
  const isLimited = (path) => existsSync(path) && !/^(max|-1)\b/.test(readFileSync(path, 'utf8'));
  return !allowances.some(isLimited) && succeeds(WHEN_IDLE[0], [...WHEN_IDLE.slice(1), 'true']);
}

/** Begins those that were asked for, one after the other; what they said is shown when it is asked for how they went. */
function beginBeside(projects) {
  const logPath = join(root, 'test', 'output', 'beside.log');
  const log = openSync(logPath, 'w');
  const runAll = async () => {
    const done = [];
    for (const name of projects) if (!interrupted) done.push(await timed(name, () => runProject(name, log)));
    closeSync(log);
    return done.map((result) => ({ ...result, where: ', beside the next' }));
  };
  const ended = runAll();
  return {
    ended,
    /** Resolves with their results. */
    async show() {
      const done = await ended;
      console.log(`\n=== ${projects.join(', ')}, beside it\n${readFileSync(logPath, 'utf8')}`);
      return done;
    },
  };
}

const isSlow = () => results.some(({ name, seconds }) => name === 'unit' && seconds > SLOW_UNIT_SECONDS);

async function timed(name, run) {
  const fromMs = performance.now();
  const result = await run();
  return { name, ...result, seconds: (performance.now() - fromMs) / 1000 };
}

async function runProject(project, log = null, othersBeside = null) {
  const slow = isSlow() ? WHERE_SLOW : { workers: {}, again: {} };
  const workers = log === null ? (slow.workers[project] ?? WORKERS[project] ?? 2) : 1;
  const mostAgain = slow.again[project] ?? ALONE_AGAIN[project] ?? 0;
  const result = await runVitest(project, { workers, log });
  const files = [...new Set(result.failures.map(({ file }) => file))];
  if (interrupted || files.length === 0 || files.length > mostAgain) return result;
  await othersBeside?.ended;
  console.log(`\n=== ${project}, once more and alone: ${files.join(', ')}`);
  const alone = await runVitest(project, { workers: 1, files });
  const stillFails = (one) => alone.failures.some(({ file, name }) => file === one.file && name === one.name);
  const onlyAlone = result.failures.filter((one) => !stillFails(one));
  return {
    ...result,
    passed: result.passed + onlyAlone.length,
    failed: Math.max(alone.failed, alone.failures.length),
    failures: alone.failures,
    onlyAlone,
  };
}

async function runCheck(name) {
  const [command, args] = CHECKS[name];
  const exitCode = await runHere(command, args);
  return { passed: 0, failed: exitCode === 0 ? 0 : 1, skipped: 0, failures: [] };
}

await prepareOrExit('test');
mkdirSync(join(root, 'test', 'output'), { recursive: true });
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    interrupted = true;
  });
}

const steps = STEPS.filter((name) => wanted.includes(name));
const beside = mayRunBeside() ? BESIDE : {};
const besideOf = (name) => (beside[name] ?? []).filter((other) => steps.includes(other));
const isBeside = new Set(steps.flatMap(besideOf));

const results = [];
for (const name of steps.filter((one) => !isBeside.has(one))) {
  if (interrupted) break;
  const others = besideOf(name);
  const begun = others.length > 0 ? beginBeside(others) : null;
  console.log(`\n=== ${name}`);
  const result = await timed(name, () => (name in CHECKS ? runCheck(name) : runProject(name, null, begun)));
  results.push(...((await begun?.show()) ?? []), result);
}

for (const { file, name, message } of results.flatMap((result) => result.failures)) {
  console.log(`\nFAILED ${file}: ${name}\n${message.split('\n').slice(0, 40).join('\n')}`);
}

for (const { file, name, message } of results.flatMap((result) => result.onlyAlone ?? [])) {
  console.log(`\nPASSED ONLY ALONE ${file}: ${name}\n${message.split('\n').slice(0, 10).join('\n')}`);
}

const sum = (field) => results.reduce((total, result) => total + result[field], 0);
console.log(`\nSustain's tests on ${platformName()}, Node ${process.versions.node}`);
for (const { name, passed, failed, seconds, onlyAlone = [], where = '' } of results) {
  const counted = `${passed} passed, ${failed} failed${onlyAlone.length > 0 ? `, ${onlyAlone.length} passed only alone` : ''}`;
  const outcome = name in CHECKS ? (failed === 0 ? 'clean' : 'faults') : counted + where;
  console.log(`  ${name.padEnd(9)} ${seconds.toFixed(1).padStart(6)} s   ${outcome}`);
}
const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
const ranNothing = passed + failed === 0 && wanted.some((name) => PROJECTS.includes(name));
if (ranNothing) console.log('No test ran.');
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 || ranNothing || interrupted ? 1 : 0);
