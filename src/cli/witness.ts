/** What a witness is called that was given no name. */
const WITNESS = 'witness';

/** The name that `--witness` gives this agent; undefined without it. */
export function witnessName(option: string | boolean | undefined): string | undefined {
  return option === true ? WITNESS : option || undefined;
}
