// Where code is, asked of V8's inspector. Only used after a failure: loading the inspector takes milliseconds.
import { realpathSync } from 'node:fs';
import type { Session } from 'node:inspector';
import { fileURLToPath } from 'node:url';

/** `file:line`; undefined for what is no file of the operator's, but Node's or our own. */
export function formatLocation(url: string | undefined, lineFromZero: number): string | undefined {
  const path = url?.startsWith('file://') ? fileURLToPath(url) : url;
  return path?.startsWith('/') && !isOwn(path) ? `${path}:${lineFromZero + 1}` : undefined;
}

/** On a busy machine much of a short look at a config is ours. */
function isOwn(path: string): boolean {
  const program = process.argv[1];
  return program !== undefined && path === realpathSync(program);
}

export function createInspectorSession(): Session {
  const { Session: InspectorSession } = process.getBuiltinModule('node:inspector');
  return new InspectorSession();
}

const slot = Symbol.for('warp-init.function');
const readSlot = 'globalThis[Symbol.for("warp-init.function")]';

/** Where a function was written. */
export function functionLocation(called: object | undefined): string | undefined {
  if (called === undefined) {
    return undefined;
  }

  const session = createInspectorSession();
  const urls = new Map<string, string>();
  let location: string | undefined;
  Object.defineProperty(globalThis, slot, { value: called, configurable: true });
  session.connect();
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
  // In the session of one's own thread each answer comes before `post` returns.
  session.post('Debugger.enable');
  session.post('Runtime.evaluate', { expression: readSlot }, (_error, { result }) => {
    const objectId = result.objectId ?? '';
    session.post('Runtime.getProperties', { objectId }, (_failed, { internalProperties = [] }) => {
      const place = internalProperties.find(({ name }) => name === '[[FunctionLocation]]');
      location = placeOf(place?.value?.value, urls);
    });
  });
  session.disconnect();
  Reflect.deleteProperty(globalThis, slot);
  return location;
}

function placeOf(place: unknown, urls: ReadonlyMap<string, string>): string | undefined {
  const isPlace =
    typeof place === 'object' && place !== null && 'scriptId' in place && 'lineNumber' in place;
  return isPlace
    ? formatLocation(urls.get(String(place.scriptId)), Number(place.lineNumber))
    : undefined;
}

/** The line that was running most of the time while `work` ran. `work` must not throw. */
export function busiestLocation(work: () => void): string | undefined {
  const session = createInspectorSession();
  let location: string | undefined;
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.start');
  work();
  session.post('Profiler.stop', (_error, { profile }) => {
    const lines = profile.nodes.flatMap(({ callFrame, positionTicks = [] }) =>
      positionTicks.map(({ line, ticks }) => ({
        ticks,
        // Lines of ticks count from one, unlike those of call frames.
        location: formatLocation(callFrame.url, line - 1),
      })),
    );
    const busiest = lines
      .filter((line) => line.location !== undefined)
      .toSorted((one, other) => other.ticks - one.ticks);
    location = busiest[0]?.location;
  });
  session.disconnect();
  return location;
}
