/** Engines that serve: which are open, opening and closing them, choosing among them, and the memory that they take. */
import type { HostedEngine, Requirement } from '../../engine/index.js';
import { ERRORS, type ErrorCode, LineamentError, wrapError } from '../../errors.js';
import { record } from '../auth/index.js';
import { recogniserOf } from '../faces/work.js';
import { Time, Words } from '../schemas/common.js';
import { clientSignal, type RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { type FastifyRequest, type Static, Type } from '../vendor.js';

const TAGS = ['models'];
const REQUIREMENTS: readonly Requirement[] = ['speed', 'accuracy', 'balanced', 'minimal_memory'];

const Name = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'Name of an engine, as /api/v1/models/loaded lists them',
});
const RequirementName = Words(
  REQUIREMENTS,
  'speed: the quickest. accuracy: the one that finds and knows most faces. balanced: the quickest of those near the best. minimal_memory: the smallest. Of those that fit into the memory that is free now.',
);

const Hosted = Type.Object(
  {
    name: Name,
    state: Words(
      ['absent', 'loading', 'ready', 'closing', 'failed'] as const,
      'absent: not open, and opened when it is asked for. failed: it could not be opened the last time; it is tried again when it is asked for.',
    ),
    current: Type.Boolean({ description: 'Answers the requests that name none' }),
    bytes: Type.Integer({
      minimum: 0,
      description: 'What its networks hold, an upper bound; what they would where it is not open',
    }),
    running: Type.Integer({ minimum: 0, description: 'Calls that run' }),
    last_used_at: Type.Optional(Time('When it was used last; never when absent')),
    model: Type.String({ description: 'Recogniser of its embeddings' }),
    dims: Type.Integer({ minimum: 1, description: 'Numbers of an embedding' }),
    error: Type.Optional(
      Type.Object(
        { code: Type.String({ description: 'Stable: to be matched on' }), title: Type.String() },
        { description: 'Why it could not be opened; the log tells more' },
      ),
    ),
  },
  { title: 'Engine', description: 'A choice of networks under a name' },
);

const Engines = Type.Object(
  { current: Name, engines: Type.Array(Hosted, { description: 'Those that are open, and those that can be' }) },
  { title: 'EngineList' },
);

const NameBody = Type.Object({ name: Name }, { title: 'EngineName', additionalProperties: false });
const SwitchBody = Type.Object(
  { name: Type.Optional(Name), requirement: Type.Optional(RequirementName) },
  {
    title: 'SwitchModel',
    description: 'Either a name, or what is needed of it',
    minProperties: 1,
    maxProperties: 1,
    additionalProperties: false,
  },
);

const Switched = Type.Object(
  {
    engine: Hosted,
    previous: Type.String({ description: 'Engine that served before; its calls end with it' }),
    reason: Type.Optional(Type.String({ description: 'Why this one, where a requirement was named' })),
    collections: Type.Array(
      Type.Object({
        name: Type.String(),
        model: Type.String({ description: 'Recogniser that it was made with' }),
        searchable: Type.Boolean({
          description: 'Can be searched with the new engine: collections keep to the networks that they were made with',
        }),
      }),
    ),
  },
  { title: 'ModelSwitch' },
);

const SelectBody = Type.Object(
  { requirement: RequirementName },
  { title: 'ModelRequirement', additionalProperties: false },
);
const Selected = Type.Object(
  {
    requirement: RequirementName,
    name: Type.Optional(Type.String({ description: 'Absent where none fits into the memory that is free' })),
    reason: Type.String(),
  },
  { title: 'ModelSelection' },
);

const Memory = Type.Object(
  {
    budget: Type.Optional(Type.Integer({ description: 'Bytes that networks may hold; no limit when absent' })),
    used: Type.Integer({
      minimum: 0,
      description: 'Bytes that open networks hold, an upper bound; shared ones count once',
    }),
    devices: Type.Array(
      Type.Object({
        device: Type.String({ description: "cpu, or a GPU's name with its number" }),
        total: Type.Integer({ description: 'Bytes' }),
        free: Type.Integer({ description: 'Bytes that are really free now' }),
        source: Words(
          ['cgroup', 'system', 'nvml'] as const,
          'cgroup: the limit of a container. system: the operating system. nvml: the driver of the GPU.',
        ),
      }),
    ),
  },
  { title: 'ModelMemory' },
);

export const modelRoutes: RouteGroup = (app, parts) => {
  const { engines } = parts;

  app.get(
    '/api/v1/models/loaded',
    {
      config: { scope: 'read', kind: 'list_engines' },
      schema: {
        operationId: 'list_engines',
        summary: 'Engines that are open, and those that can be',
        tags: TAGS,
        response: { 200: Engines },
      },
    },
    async () => ({ current: engines.current, engines: engines.list().map(shown) }),
  );

  app.get(
    '/api/v1/models/memory',
    {
      config: { scope: 'read', kind: 'model_memory' },
      schema: {
        operationId: 'model_memory',
        summary: 'Memory that networks take, and what is free',
        tags: TAGS,
        response: { 200: Memory },
      },
    },
    async () => {
      const { budget, used, devices } = await engines.memory();
      return { ...(budget !== undefined && { budget }), used, devices: devices.map((device) => ({ ...device })) };
    },
  );

  app.post(
    '/api/v1/models/select',
    {
      config: { scope: 'read', kind: 'select_model' },
      schema: {
        operationId: 'select_model',
        summary: 'Which engine suits a requirement and the memory that is free; nothing is changed',
        tags: TAGS,
        body: SelectBody,
        response: { 200: Selected },
      },
    },
    async ({ body: { requirement } }) => {
      const found = await engines.select(requirement);
      return { requirement, ...(found ?? { reason: 'none fits into the memory that is free' }) };
    },
  );

  app.post(
    '/api/v1/models/load',
    {
      config: { scope: 'admin', kind: 'load_model' },
      schema: {
        operationId: 'load_model',
        summary: 'Opens an engine, so that its first call does not wait',
        tags: TAGS,
        body: NameBody,
        response: { 200: Hosted },
      },
    },
    async (request) => {
      const { name } = request.body;
      const loaded = await opened(engines.load(name, { signal: clientSignal(request) }));
      await record(parts, request, 'model.load', { detail: { name } });
      return shown(loaded);
    },
  );

  app.post(
    '/api/v1/models/unload',
    {
      config: { scope: 'admin', kind: 'unload_model' },
      schema: {
        operationId: 'unload_model',
        summary: 'Closes an engine once its calls have ended; not the current one',
        tags: TAGS,
        body: NameBody,
        response: { 200: Hosted },
      },
    },
    async (request) => {
      const { name } = request.body;
      await engines.unload(name);
      await record(parts, request, 'model.unload', { detail: { name } });
      return shown(engines.list().find((one) => one.name === name)!);
    },
  );

  const description =
    'It is opened and warmed first; calls that run end with the old one, and none is dropped. Where it cannot be opened the old one goes on serving.';
  for (const [path, operationId] of [
    ['/api/v1/models/switch', 'switch_model'],
    ['/api/v1/face-recognition/switch-model', 'switch_recognition_model'],
  ] as const) {
    app.post(
      path,
      {
        config: { scope: 'admin', kind: 'switch_model' },
        schema: {
          operationId,
          summary: 'Serves with another engine from now on',
          description,
          tags: TAGS,
          body: SwitchBody,
          response: { 200: Switched },
        },
      },
      (request) => switchModel(parts, request, request.body),
    );
  }
};

async function switchModel(
  parts: ServiceParts,
  request: FastifyRequest,
  { name: given, requirement }: Static<typeof SwitchBody>,
): Promise<Static<typeof Switched>> {
  const { engines, gallery } = parts;
  const selected = requirement === undefined ? undefined : await engines.select(requirement);
  const name = given ?? selected?.name;
  if (name === undefined) {
    throw new LineamentError('NOT_FOUND', 'no engine fits into the memory that is free', {
      fix: 'Unload another one, or name one.',
    });
  }
  const previous = engines.current;
  const signal = clientSignal(request);
  const engine = await opened(engines.switchTo(name, { signal }));
  await record(parts, request, 'model.switch', { detail: { name, previous } });
  const { model, hash } = await engines.use(recogniserOf, { name, signal });
  const collections = (await gallery.collections()).map((one) => ({
    name: one.name,
    model: one.model,
    searchable: one.model === model && (one.modelHash === undefined || one.modelHash === hash),
  }));
  return { engine: shown(engine), previous, ...(selected !== undefined && { reason: selected.reason }), collections };
}

/** A model that is not here is no fault of the service: who asked can fetch it. */
async function opened(work: Promise<HostedEngine>): Promise<HostedEngine> {
  try {
    return await work;
  } catch (thrown) {
    const error = wrapError(thrown);
    if (error.code !== 'MODEL_NOT_FOUND') throw error;
    throw new LineamentError('NOT_FOUND', 'a network of it is not here', {
      cause: error,
      fix: 'Download its models first.',
    });
  }
}

function shown({
  name,
  state,
  current,
  bytes,
  running,
  lastUsedAt,
  model,
  dims,
  error,
}: HostedEngine): Static<typeof Hosted> {
  const code = error?.code as ErrorCode | undefined;
  return {
    name,
    state,
    current,
    bytes,
    running,
    ...(lastUsedAt !== undefined && { last_used_at: lastUsedAt }),
    model,
    dims,
    ...(code !== undefined && { error: { code, title: ERRORS[code].message } }),
  };
}
