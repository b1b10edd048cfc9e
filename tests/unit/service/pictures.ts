/** One picture, or several, in every way in which a request can bring them. */
import { readFileSync } from 'node:fs';
import { sample } from '../../support/samples.js';
import type { TestService } from '../../support/service.js';

export const photo = (i: number): Buffer => readFileSync(sample(i));

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly type: string;
  readonly body: T;
}

export async function answerOf<T>(response: Response): Promise<Answer<T>> {
  const type = response.headers.get('content-type') ?? '';
  const text = await response.text();
  return { status: response.status, type, body: (/json/.test(type) ? JSON.parse(text) : text) as T };
}

type Options = Readonly<Record<string, string | number | boolean | readonly string[]>>;
type Pictures = Readonly<Record<string, Uint8Array | readonly Uint8Array[]>>;

const each = (given: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] =>
  given instanceof Uint8Array ? [given] : given;

const queryOf = (options: Options): string => {
  const query = new URLSearchParams(
    Object.entries(options).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return query === '' ? '' : `?${query}`;
};

/** As files of a form, the options as its fields. */
export async function asForm<T>(service: TestService, path: string, pictures: Pictures, options: Options = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(options)) form.append(name, String(value));
  for (const [name, given] of Object.entries(pictures)) {
    for (const bytes of each(given)) form.append(name, new Blob([Uint8Array.from(bytes)]), 'picture.bin');
  }
  return answerOf<T>(await service.fetch(path, { method: 'POST', body: form }));
}

/** As base64 in JSON. */
export async function asJson<T>(
  service: TestService,
  path: string,
  pictures: Pictures,
  options: Options = {},
  prefix = '',
) {
  const coded = Object.entries(pictures).map(([name, given]) => {
    const texts = each(given).map((bytes) => prefix + Buffer.from(bytes).toString('base64'));
    return [name, given instanceof Uint8Array ? texts[0] : texts];
  });
  return postJson<T>(service, path, { ...Object.fromEntries(coded), ...options });
}

/** Any JSON body. */
export async function postJson<T>(service: TestService, path: string, body: unknown) {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return answerOf<T>(await service.fetch(path, init));
}

/** As the body, the options in the query. */
export async function asBody<T>(
  service: TestService,
  path: string,
  picture: Uint8Array,
  options: Options = {},
  type = 'image/jpeg',
) {
  const init = { method: 'POST', headers: { 'content-type': type }, body: Uint8Array.from(picture) };
  return answerOf<T>(await service.fetch(`${path}${queryOf(options)}`, init));
}

/** The same picture in all forms. */
export async function inAllForms<T>(service: TestService, path: string, picture: Uint8Array, options: Options = {}) {
  return [
    await asForm<T>(service, path, { image: picture }, options),
    await asJson<T>(service, path, { image: picture }, options),
    await asJson<T>(service, path, { image: picture }, options, 'data:image/jpeg;base64,'),
    await asBody<T>(service, path, picture, options),
    await asBody<T>(service, path, picture, options, 'application/octet-stream'),
  ];
}
