/** How many letters must be added, dropped, changed or swapped with a neighbour to get from one to the other. */
export function editDistance(from: string, to: string): number {
  const width = to.length + 1;
  let twoBack: number[] = [];
  let previous = Array.from({ length: width }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column < width; column += 1) {
      const same = from[row - 1] === to[column - 1];
      let least = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) least = Math.min(least, (twoBack[column - 2] ?? 0) + 1);
      current.push(least);
    }
    twoBack = previous;
    previous = current;
  }
  return previous[width - 1] ?? 0;
}

/** The known word that was most likely meant, or null when none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  const asked = word.slice(0, 64).toLowerCase();
  let best: { word: string; distance: number } | null = null;
  for (const candidate of known) {
    const distance = editDistance(asked, candidate.toLowerCase());
    if (best === null || distance < best.distance) best = { word: candidate, distance };
  }
  return best !== null && best.distance <= Math.max(1, Math.floor(asked.length / 3)) ? best.word : null;
}
