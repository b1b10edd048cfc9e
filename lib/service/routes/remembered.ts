/** What was asked last, for a while, so that who asks often costs little; asked once at a time. Failures are not kept. */
export function remembered<T>(freshMs: number, ask: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (last !== undefined && performance.now() - last.at <= freshMs) return last.answer;
    const made = { at: performance.now(), answer: ask() };
    last = made;
    made.answer.catch(() => {
      if (last === made) last = undefined;
    });
    return made.answer;
  };
}
