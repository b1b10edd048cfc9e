import { describe, expect, it } from 'vitest';
import { abortable } from '../../lib/errors/abort.js';
import { oneOf, plainObject, positiveInteger } from '../../lib/errors/validate.js';
import { callSite, ERRORS, type ErrorCode, LineamentError, wrapError } from '../../lib/errors.js';

describe('LineamentError', () => {
  it('has a message form and an HTTP status for every code', () => {
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      const error = new LineamentError(code, 'detail');
      expect(error.code).toBe(code);
      expect(error.message).toBe(`${ERRORS[code].message}: detail`);
      expect(error.status).toBeGreaterThanOrEqual(400);
      expect(error.status).toBeLessThan(600);
    }
  });

  it('carries the fix in the message and apart, and keeps cause and stack out of JSON', () => {
    const error = new LineamentError('MODEL_NOT_FOUND', 'x.onnx', { fix: 'Run it.', cause: new Error('secret') });
    expect(error.message).toBe('Model not found: x.onnx. Run it.');
    expect(error.fix).toBe('Run it.');
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'LineamentError',
      code: 'MODEL_NOT_FOUND',
      message: error.message,
      fix: 'Run it.',
    });
    expect(error.stack).toMatch(/^LineamentError: Model not found/);
  });

  it('wraps native errors with their code, and anything else with the fallback', () => {
    const native = Object.assign(new Error('no'), { code: 'INFERENCE_FAILED' });
    expect(wrapError(native)).toMatchObject({ code: 'INFERENCE_FAILED', cause: native });
    expect(wrapError(Object.assign(new Error('no'), { code: 'ENOENT' })).code).toBe('INTERNAL');
    expect(wrapError('text', undefined, 'IMAGE_CORRUPT')).toMatchObject({ code: 'IMAGE_CORRUPT', cause: 'text' });
    const ours = new LineamentError('CLOSED', '');
    expect(wrapError(ours)).toBe(ours);
  });

  it('shows the line that called, even after turns of the event loop', async () => {
    async function publicCall(): Promise<never> {
      const site = callSite(publicCall);
      await new Promise((resolve) => setTimeout(resolve, 1));
      throw wrapError(new Error('deep'), site);
    }
    async function callerOfIt(): Promise<never> {
      return publicCall();
    }
    const error = await callerOfIt().catch((e: Error) => e);
    expect(error.stack?.split('\n')[1]).toContain('callerOfIt');
  });
});

describe('validation', () => {
  it('has one message form', () => {
    expect(() => positiveInteger('width', -3)).toThrow(
      'Expected positive integer for width but received -3 of type number',
    );
    expect(() => positiveInteger('width', '3')).toThrow("but received '3' of type string");
    expect(() => positiveInteger('width', Number.NaN)).toThrow('but received NaN of type number');
    expect(() => oneOf('mode', 'x', ['a', 'b'])).toThrow(
      "Expected one of 'a', 'b' for mode but received 'x' of type string",
    );
    expect(() => positiveInteger('width', undefined)).toThrow('but received undefined');
    expect(() => positiveInteger('width', Object.create(null))).toThrow('of class object');
  });

  it('names an unknown option, which is most often a misspelling', () => {
    expect(() => plainObject('options', { landmark: true }, ['landmarks'])).toThrow("Unknown option 'landmark'");
    expect(() => plainObject('options', null, [])).toThrow('Expected object for options but received null');
    expect(plainObject('options', {}, [])).toEqual({});
  });
});

describe('abortable', () => {
  it('rejects at once when the signal fires, with its reason as cause', async () => {
    const controller = new AbortController();
    const never = new Promise<void>(() => {});
    const waiting = abortable(never, controller.signal);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', cause: reason });
  });

  it('passes results and failures on', async () => {
    const { signal } = new AbortController();
    await expect(abortable(Promise.resolve(3), signal)).resolves.toBe(3);
    await expect(abortable(Promise.reject(new Error('x')), signal)).rejects.toThrow('x');
  });
});
