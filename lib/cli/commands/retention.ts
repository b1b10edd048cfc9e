/** `lineament retention run|dry-run`: what is kept too long goes. */
import { LineamentError } from '../../errors.js';
import type { Gallery } from '../../gallery/index.js';
import {
  EventLog,
  galleryPersons,
  type RetentionPlan,
  type RetentionPolicy,
  type RetentionReport,
} from '../../pipeline/events/index.js';
import type { CommandContext, OptionValues } from '../command.js';
import { openNamedGallery } from '../galleries.js';
import { makeProgress, type Progress } from '../progress.js';
import { printable, table } from '../terminal.js';

const DAYS: readonly (readonly [option: string, policy: keyof RetentionPolicy])[] = [
  ['archive-after', 'archiveAfterDays'],
  ['delete-after', 'deleteAfterDays'],
  ['events', 'eventsDays'],
  ['clips', 'clipsDays'],
];

/** Days of each option; `never` keeps for ever. */
function policyOf(options: OptionValues): RetentionPolicy {
  const policy: Record<string, number | false> = {};
  for (const [option, name] of DAYS) {
    const given = options[option];
    if (given === undefined) continue;
    const days = Number(given);
    if (given !== 'never' && !(String(given).trim() !== '' && days >= 0 && days <= 1e6)) {
      throw new LineamentError(
        'INVALID_ARGUMENT',
        `Expected days, or never, for --${option} but received '${String(given)}'`,
        { fix: "See 'lineament retention --help'." },
      );
    }
    policy[name] = given === 'never' ? false : days;
  }
  return policy;
}

export async function retention(context: CommandContext): Promise<number> {
  const { options, terminal, signal } = context;
  const [verb = ''] = context.arguments;
  if (verb !== 'run' && verb !== 'dry-run') {
    throw new LineamentError('INVALID_ARGUMENT', `there is no verb '${verb}'`, { fix: 'Use one of run, dry-run.' });
  }
  const folder = options['data'] ?? process.env['LINEAMENT_DATA'];
  if (typeof folder !== 'string' || folder === '') {
    throw new LineamentError('INVALID_ARGUMENT', 'no folder is named', {
      fix: 'Name the folder of the event log with --data DIR, or set LINEAMENT_DATA.',
    });
  }
  const policy = policyOf(options);
  const now = Date.now();
  await using log = await EventLog.open({
    folder,
    create: false,
    ...(typeof options['clips-folder'] === 'string' && { clips: options['clips-folder'] }),
  });
  let gallery: Gallery | undefined;
  let progress: Progress | undefined;
  try {
    if (options['gallery'] !== undefined) gallery = await openNamedGallery(context);
    const common = { policy, stores: gallery ? [galleryPersons(gallery, gallery.folder)] : [], signal };
    let stage = '';
    const report =
      verb === 'dry-run'
        ? undefined
        : await log.runRetention(now, {
            ...common,
            by: 'lineament retention',
            onProgress: ({ stage: at, total }) => {
              if (at === stage) return;
              stage = at;
              progress ??= makeProgress(terminal, 4, options['quiet'] === true);
              progress.step(at, `${total} due`);
            },
          });
    const result = report ?? (await log.planRetention(now, common));
    progress?.end();
    progress = undefined;
    terminal.stdout.write(
      options['json'] === true
        ? `${JSON.stringify({ dryRun: report === undefined, ...result })}\n`
        : `${describe(result, report, context)}\n`,
    );
    return report !== undefined && report.files.problems.length + report.failed.length > 0 ? 1 : 0;
  } finally {
    progress?.end();
    await gallery?.close();
  }
}

function describe(result: RetentionPlan, report: RetentionReport | undefined, { terminal }: CommandContext): string {
  const { policy } = result;
  const days = (value: number | false): string => (value === false ? 'never' : `after ${value} days`);
  const row = (what: string, when: number | false, { count, oldest }: RetentionPlan['clips']): string[] => [
    what,
    days(when),
    `${count}`,
    oldest === undefined ? '' : new Date(oldest).toISOString().slice(0, 10),
  ];
  const rows = [
    row('clips deleted', policy.clipsDays, result.clips),
    row('events deleted', policy.eventsDays, result.events),
    row('persons archived', policy.archiveAfterDays, result.archive),
    row('archived persons deleted', policy.deleteAfterDays, result.delete),
  ];
  const columns = [
    { title: 'what' },
    { title: 'when' },
    { title: report ? 'done' : 'would be', right: true },
    { title: 'oldest' },
  ];
  const lines = [table(columns, rows, terminal.style, '')];
  if (report) {
    if (report.files.bytes > 0) lines.push(`${(report.files.bytes / 1e6).toFixed(1)} MB of clips freed`);
    for (const { path, problem, message } of report.files.problems) {
      lines.push(`  left alone: ${printable(path)}: ${PROBLEMS[problem]}${message ? ` (${printable(message)})` : ''}`);
    }
    for (const { store, message } of report.failed) lines.push(`  failed: ${printable(store)}: ${printable(message)}`);
  } else {
    lines.push('nothing was changed: this is a dry run');
  }
  return lines.join('\n');
}

const PROBLEMS = {
  missing: 'it was not there any more',
  outside: 'it does not lie in the folder of clips',
  changed: 'its content is not what was recorded',
  unknown: 'no clip of the log is of this name',
  failed: 'it could not be deleted',
} as const;
