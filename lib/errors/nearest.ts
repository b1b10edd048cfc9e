/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The name that a misspelt one means: within two letters or a third of its own, whatever the case and the dashes; absent where none is near. */
export function nearestName(given: string, names: Iterable<string>): string | undefined {
  const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
  let best: string | undefined;
  let far = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const found = distance(plain(given).slice(0, 100), plain(name));
    if (found < far && found <= Math.max(2, name.length / 3)) [best, far] = [name, found];
  }
  return best;
}
