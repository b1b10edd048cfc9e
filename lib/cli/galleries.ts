/** What the commands on galleries share: opening one, and reading what the command line says about it. */
import path from 'node:path';
import { LineamentError } from '../errors.js';
import { type Gallery, type GalleryOptions, openGallery } from '../gallery/index.js';
import type { KeySource } from '../templates/index.js';
import type { CommandContext, OptionValues } from './command.js';
import { makeProgress, type Progress } from './progress.js';

const text = (options: OptionValues, name: string): string | undefined => {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
};

/** Folder of the gallery, from --gallery or LINEAMENT_GALLERY. */
export function galleryFolder(options: OptionValues): string {
  const folder = text(options, 'gallery') ?? process.env['LINEAMENT_GALLERY'];
  if (folder !== undefined && folder !== '') return folder;
  throw new LineamentError('INVALID_ARGUMENT', 'no gallery is named', {
    fix: 'Name its folder with --gallery DIR, or set LINEAMENT_GALLERY.',
  });
}

/** Keys from --key FILE or env:VAR, or from LINEAMENT_KEYS. */
export function keySource(options: OptionValues): KeySource | undefined {
  const given = text(options, 'key');
  if (given?.startsWith('env:')) return { env: given.slice('env:'.length) };
  if (given !== undefined) return { file: given };
  return process.env['LINEAMENT_KEYS'] ? { env: 'LINEAMENT_KEYS' } : undefined;
}

/** Opens the gallery that the command line names, with progress where the index has to be made anew. */
export async function openNamedGallery(context: CommandContext, more: Partial<GalleryOptions> = {}): Promise<Gallery> {
  const { options, terminal, signal } = context;
  const keys = keySource(options);
  let progress: Progress | undefined;
  let shown = 0;
  try {
    return await openGallery({
      folder: galleryFolder(options),
      create: false,
      signal,
      ...(keys !== undefined && { keys }),
      onProgress: ({ done, total = 0 }) => {
        progress ??= makeProgress(terminal, Math.ceil(total / 1000), options['quiet'] === true);
        for (; shown < Math.floor(done / 1000); shown++) progress.step('index', 'made anew');
      },
      ...more,
    });
  } finally {
    progress?.end();
  }
}

/** The person of a photograph: the folder that it lies in. Throws `INVALID_ARGUMENT` for one that was named by itself. */
export function personOfFolder(file: string, given: readonly string[]): string {
  if (given.includes(file)) {
    throw new LineamentError('INVALID_ARGUMENT', `nothing says who is on ${file}`, {
      fix: 'Name the person with --person ID, or give the folder above folders that are named after persons.',
    });
  }
  return path.basename(path.dirname(path.resolve(file)));
}
