import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageFolder, packageRoot } from '../../lib/native/package.js';

/** Photographs of the installed npm packages, and those beside the checkout where there are some and they are wanted. */
export function defaultPhotographs(packagesOnly: boolean): { photographs: string[]; montages: string[] } {
  const inPackage = (name: string, ...parts: string[]): string => path.join(packageFolder(name) ?? name, ...parts);
  const samples = [1, 2, 3, 4, 5, 6].map((i) => inPackage('@vladmandic/face-api', 'demo', `sample${i}.jpg`));
  const shared = path.join(packageRoot, '..', 'shared', 'faces', 'photos');
  const montage = inPackage('@vladmandic/human', 'assets', 'screenshot-facematch.jpg');
  return {
    photographs: [...samples, ...(packagesOnly ? [] : [shared])].filter((name) => existsSync(name)),
    montages: [montage].filter((name) => existsSync(name)),
  };
}
