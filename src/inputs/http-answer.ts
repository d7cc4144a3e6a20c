// Reads one HTTP/1.1 answer from bytes that arrive torn at any place.
//
// Never throws: whatever comes is an answer, a wish for more, or a failure with a reason. RFC 9112.
import { type BodySink, type OnPart, giveBody, keepBody } from './http-body.ts';
import {
  addField,
  decodeLine,
  framingOf,
  isKeptAlive,
  parseChunkSize,
  parseStatusLine,
} from './http-head.ts';
import type { StatusLine } from './http-head.ts';
import { type ReadStep, isSuccess, malformed, more, tooLarge } from './http-step.ts';

/** Status lines, header fields and trailers together, interim answers included. */
export const headLimitBytes = 65_536;

export type AnswerReader = {
  /** After a result other than `more`, the reader is used up. Keeps nothing of `bytes` itself. */
  readonly push: (bytes: Buffer) => ReadStep;
  /** The connection has ended. */
  readonly end: () => ReadStep;
  /** Whether any byte of an answer has come. */
  readonly hasBytes: () => boolean;
};

// status-line -> fields -+-> counted ------------------------------------------> answer
//      ^           |     +-> until-close --(connection ends)-------------------> answer
//      '--interim--'     '-> chunk-size -> chunk -> chunk-end -> chunk-size
//                                '--(size 0)--> trailers ----------------------> answer
type LineState = 'status-line' | 'fields' | 'chunk-size' | 'chunk-end' | 'trailers';
type BodyState = 'counted' | 'chunk' | 'until-close';

type Reading = {
  readonly limitBytes: number;
  readonly onPart: OnPart | undefined;
  state: LineState | BodyState;
  /** The beginning of a line whose end has not come. */
  torn: Buffer | undefined;
  headBytes: number;
  statusLine: StatusLine;
  headers: Map<string, string>;
  /** Bytes of the body, or of the chunk, that have not come. */
  missingBytes: number;
  body: BodySink;
  bodyBytes: number;
};

/**
 * @param limitBytes - A longer body is a failure, as soon as it is announced or seen.
 * @param onPart - Gets the body of a success, part by part; it is not kept then.
 */
export function createAnswerReader(limitBytes: number, onPart?: OnPart): AnswerReader {
  const reading: Reading = {
    limitBytes,
    onPart,
    state: 'status-line',
    torn: undefined,
    headBytes: 0,
    statusLine: { status: 0, minor: 1 },
    headers: new Map(),
    missingBytes: 0,
    body: keepBody(),
    bodyBytes: 0,
  };

  return {
    push: (bytes) => push(reading, bytes),
    end: () => end(reading),
    hasBytes: () => reading.headBytes > 0,
  };
}

function push(reading: Reading, bytes: Buffer): ReadStep {
  let at = 0;
  while (at < bytes.length) {
    const { state } = reading;
    let step: ReadStep;
    if (state === 'counted' || state === 'chunk' || state === 'until-close') {
      const part = bytes.subarray(at, at + reading.missingBytes);
      at += part.length;
      step = addToBody(reading, part);
    } else {
      const lineEnd = bytes.indexOf(10, at);
      const piece = bytes.subarray(at, lineEnd === -1 ? bytes.length : lineEnd + 1);
      at += piece.length;
      step = addToLine(reading, state, piece);
    }

    if (step.kind === 'answer' && at < bytes.length) {
      // Bytes after the end of an answer belong to no request of ours.
      return { kind: 'answer', answer: { ...step.answer, canReuse: false } };
    }

    if (step.kind !== 'more') {
      return step;
    }
  }

  return more;
}

function end(reading: Reading): ReadStep {
  if (reading.state === 'until-close') {
    return finish(reading);
  }

  const detail =
    reading.headBytes > 0
      ? `the connection was closed in the middle of it, after ${reading.bodyBytes} bytes of its body`
      : 'the connection was closed without one';
  return { kind: 'failed', reason: 'truncated', detail };
}

function addToBody(reading: Reading, part: Buffer): ReadStep {
  reading.body.add(part);
  reading.bodyBytes += part.length;
  reading.missingBytes -= part.length;
  if (reading.bodyBytes > reading.limitBytes) {
    return tooLarge(reading.limitBytes);
  }

  if (reading.missingBytes > 0) {
    return more;
  }

  if (reading.state === 'counted') {
    return finish(reading);
  }

  reading.state = 'chunk-end';
  return more;
}

function addToLine(reading: Reading, state: LineState, piece: Buffer): ReadStep {
  const bytes = reading.torn === undefined ? piece : Buffer.concat([reading.torn, piece]);
  const isHead = state !== 'chunk-size' && state !== 'chunk-end';
  reading.headBytes += isHead ? piece.length : 0;
  if (reading.headBytes > headLimitBytes || bytes.length > headLimitBytes) {
    return malformed(`its head is longer than ${headLimitBytes} bytes`);
  }

  if (bytes.at(-1) !== 10) {
    reading.torn = Buffer.from(bytes);
    return more;
  }

  reading.torn = undefined;
  const line = decodeLine(bytes);
  return line === undefined
    ? malformed('a line of it does not end with CR LF')
    : readLine(reading, state, line);
}

function readLine(reading: Reading, state: LineState, line: string): ReadStep {
  switch (state) {
    case 'status-line':
      return readStatusLine(reading, line);
    case 'fields':
      return line === '' ? startBody(reading) : readField(reading.headers, line);
    case 'chunk-size':
      return readChunkSize(reading, line);
    case 'chunk-end':
      reading.state = 'chunk-size';
      return line === '' ? more : malformed('a chunk of it is longer than its size');
    case 'trailers':
      return line === '' ? finish(reading) : readField(new Map(), line);
  }
}

function readStatusLine(reading: Reading, line: string): ReadStep {
  const statusLine = parseStatusLine(line);
  if (statusLine === undefined) {
    return malformed('it does not begin with a status line of HTTP/1.1');
  }

  reading.statusLine = statusLine;
  reading.headers = new Map();
  reading.state = 'fields';
  return more;
}

function readField(fields: Map<string, string>, line: string): ReadStep {
  return addField(fields, line) ? more : malformed('a line of its head is not a header field');
}

function startBody(reading: Reading): ReadStep {
  const { statusLine, headers, onPart } = reading;
  if (onPart !== undefined && isSuccess(statusLine.status)) {
    reading.body = giveBody(onPart);
  }

  const framing = framingOf(statusLine, headers);
  switch (framing.kind) {
    case 'interim':
      reading.state = 'status-line';
      return more;
    case 'none':
      return finish(reading);
    case 'chunked':
      reading.state = 'chunk-size';
      return more;
    case 'until-close':
      reading.state = 'until-close';
      reading.missingBytes = Number.POSITIVE_INFINITY;
      return more;
    case 'counted':
      return framing.lengthBytes === 0
        ? finish(reading)
        : expectBytes(reading, 'counted', framing.lengthBytes);
    case 'malformed':
      return malformed(framing.detail);
  }
}

function readChunkSize(reading: Reading, line: string): ReadStep {
  const sizeBytes = parseChunkSize(line);
  if (sizeBytes === undefined) {
    return malformed('a chunk of it begins without a size');
  }

  if (sizeBytes > 0) {
    return expectBytes(reading, 'chunk', sizeBytes);
  }

  reading.state = 'trailers';
  return more;
}

function expectBytes(reading: Reading, state: BodyState, sizeBytes: number): ReadStep {
  reading.state = state;
  reading.missingBytes = sizeBytes;
  if (reading.bodyBytes + sizeBytes > reading.limitBytes) {
    return tooLarge(reading.limitBytes);
  }

  if (state === 'counted') {
    reading.body.announce(sizeBytes);
  }

  return more;
}

function finish({ state, statusLine, headers, body, bodyBytes }: Reading): ReadStep {
  const { status } = statusLine;
  const canReuse = state !== 'until-close' && isKeptAlive(statusLine, headers);
  const answer = { status, headers, body: body.whole(), bodyBytes, canReuse };
  return { kind: 'answer', answer };
}
