// In place of parts of execa, and of packages that it uses: a plain `await execa(file, args, options)` reaches none of them.

/** `verbose`: its lines, their colours and durations. */
export const defaultVerboseFunction = never;
export const logResult = nothing;

/** execaSync, and the template strings of `$`. */
export const execaCoreSync = never;
export const isTemplateString = () => false;
export const parseTemplates = never;

/** Methods of a subprocess: pipe(), readable() and its likes, messages. */
export const pipeToSubprocess = never;
export const addConvertedStreams = nothing;
export const addIpcMethods = nothing;
export const loopOnMessages = never;
export const sendAbort = never;

/** `buffer`, which we turn off: the command's output is read as it comes. */
export const getStreamAsArray = never;
export const getStreamAsArrayBuffer = never;
export class MaxBufferError extends Error {}

/** Lines of a stream as an iterable, and transforms. */
export const iterateForResult = never;
export const iterateOnSubprocessStream = never;
export const generatorToStream = never;

/** `cleanup`, which `detached` turns off. */
export const onExit = never;

/** `preferLocal`. */
export const npmRunPathEnv = never;

/** `all`, or several inputs; and the whole of a stream for `buffer`. */
// oxlint-disable-next-line import/no-default-export -- that is what execa imports
export { never as default };

function never() {
  throw new Error('Cannot use this: src/build/stand-ins.ts left it out of the bundle');
}

function nothing() {}
