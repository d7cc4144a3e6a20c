// In place of parts of execa, and of packages that it uses: a plain `await execa(file, args, options)` reaches none of them.

/** `verbose`: its lines, their colours and durations. */
export const logResult = nothing;
export const isFullVerbose = () => false;
export const shouldLogOutput = () => false;
export const logLines = never;

/** The command as text, for those lines and for messages of errors: only status, signal and code are read. */
export const handleCommand = () => ({ startTime: 0n, verboseInfo: {} });
export const createMessages = () => ({});

/** execaSync, and the template strings of `$`. */
export const execaCoreSync = never;
export const isTemplateString = () => false;
export const parseTemplates = never;

/** `node`. */
export const handleNodeOption = (...call) => call;

/** Methods of a subprocess: pipe(), readable() and its likes, messages. */
export const pipeToSubprocess = never;
export const addConvertedStreams = nothing;
export const addIpcMethods = nothing;
export const validateIpcInputOption = nothing;
export const sendIpcInput = nothing;
export const waitForIpcOutput = nothing;
export const getBufferedIpcOutput = nothing;

/** `gracefulCancel`. */
export const validateGracefulCancel = nothing;
export const throwOnGracefulCancel = () => [];

/** Streams that are given to it: one twice, or one that transforms. */
export const filterDuplicates = (items) => items;
export const getDuplicateStream = nothing;
export const normalizeTransforms = (items) => items;

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
