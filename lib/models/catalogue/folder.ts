import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Where downloads lie unless somebody names another folder: `LINEAMENT_MODEL_CACHE`, or `lineament/models` in the user's cache folder
 * (`XDG_CACHE_HOME` or `~/.cache`; `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows).
 */
export function defaultCacheFolder(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  const named = env['LINEAMENT_MODEL_CACHE'];
  if (named) return resolve(named);
  const xdg = env['XDG_CACHE_HOME'];
  const local = env['LOCALAPPDATA'];
  let base = join(homedir(), '.cache');
  // The specification of XDG says to ignore paths that are not absolute.
  if (xdg?.startsWith('/')) base = xdg;
  else if (platform === 'darwin') base = join(homedir(), 'Library', 'Caches');
  else if (platform === 'win32' && local) base = local;
  return join(base, 'lineament', 'models');
}
