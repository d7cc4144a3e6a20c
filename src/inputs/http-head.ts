// The lines of an HTTP/1.1 answer's head, and what they say about the length of its body.
//
// Strict: two lengths that differ, or a coding that we do not know, would mix up two answers. RFC 9112.

export type StatusLine = {
  readonly status: number;
  /** Minor version of HTTP/1. */
  readonly minor: number;
};

/** Names in lower case; a repeated field is joined by `, `. */
export type Headers = ReadonlyMap<string, string>;

/** How the end of a body is found. */
export type Framing =
  | { readonly kind: 'interim' | 'none' | 'chunked' | 'until-close' }
  | { readonly kind: 'counted'; readonly lengthBytes: number }
  | { readonly kind: 'malformed'; readonly detail: string };

export function parseStatusLine(line: string): StatusLine | undefined {
  const match = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: .*)?$/.exec(line);
  return match === null ? undefined : { minor: Number(match[1]), status: Number(match[2]) };
}

/** The text of a complete line; undefined unless CR LF ends it and it is clean of control characters. */
export function decodeLine(bytes: Buffer): string | undefined {
  const line = bytes.toString('latin1', 0, bytes.length - 2);
  // Other control characters than a tab are read differently by different readers.
  return bytes.at(-2) === 13 && !/[^\t\u0020-\u007e\u0080-\u00ff]/.test(line) ? line : undefined;
}

/** Adds a line to the fields; a repeated one is joined. @returns False if the line is no field. */
export function addField(headers: Map<string, string>, line: string): boolean {
  const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):(.*)$/.exec(line);
  if (match === null) {
    return false;
  }

  const name = (match[1] ?? '').toLowerCase();
  const value = (match[2] ?? '').trim();
  const before = headers.get(name);
  headers.set(name, before === undefined ? value : `${before}, ${value}`);
  return true;
}

/** @returns The chunk's size in bytes; extensions are ignored. */
export function parseChunkSize(line: string): number | undefined {
  const match = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line);
  return match === null ? undefined : Number.parseInt(match[1] ?? '', 16);
}

/** @see RFC 9112 section 6.3 */
export function framingOf({ status, minor }: StatusLine, headers: Headers): Framing {
  if (status === 101) {
    return malformed('it switches to another protocol');
  }

  if (status < 200) {
    return { kind: 'interim' };
  }

  if (status === 204 || status === 304) {
    return { kind: 'none' };
  }

  const coding = headers.get('transfer-encoding');
  const length = headers.get('content-length');
  if (coding === undefined) {
    return length === undefined ? { kind: 'until-close' } : countedFraming(length);
  }

  if (length !== undefined) {
    return malformed('it has both Content-Length and Transfer-Encoding');
  }

  return coding.toLowerCase() === 'chunked' && minor === 1
    ? { kind: 'chunked' }
    : malformed('its Transfer-Encoding is not "chunked"');
}

function countedFraming(text: string): Framing {
  const lengths = new Set(text.split(',').map((part) => part.trim()));
  const [length = ''] = lengths;
  return lengths.size === 1 && /^\d{1,15}$/.test(length)
    ? { kind: 'counted', lengthBytes: Number(length) }
    : malformed('its Content-Length is not one number');
}

function malformed(detail: string): Framing {
  return { kind: 'malformed', detail };
}

/** Whether the connection may carry another request, as far as the head says. */
export function isKeptAlive({ minor }: StatusLine, headers: Headers): boolean {
  const options = (headers.get('connection') ?? '')
    .toLowerCase()
    .split(',')
    .map((option) => option.trim());
  return minor === 1 ? !options.includes('close') : options.includes('keep-alive');
}
