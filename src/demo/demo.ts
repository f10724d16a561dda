export async function demo(_options: { tour?: boolean; only?: string; json?: boolean }): Promise<number> {
  return 1;
}
