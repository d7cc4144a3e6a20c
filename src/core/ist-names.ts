// The names that a service name gives by default: one hostname and two variables.
//
// Rules: the platform's documentation; `punycode` and Lucene's ASCIIFoldingFilter define the details. A service
// name is any text. Whatever it holds, no white space, `#`, `=`, NUL or line break gets into a name made of it.
import punycode from 'punycode/punycode.js';

export type ServiceNames = {
  /** `my-db.warp`. Undefined where nothing of the service name is left, or it is too long for punycode. The label may exceed 63 octets. */
  readonly hostname: string | undefined;
  /** `WARP_IST_my-db`. Undefined where it would hold a character that no variable name may have. */
  readonly generic: string | undefined;
  /** `WARP_IST_my_db`. Undefined only where the service name is too long for punycode. */
  readonly shell: string | undefined;
};

export type Fold = (text: string) => string;

const domain = '.warp';
const prefix = 'WARP_IST_';
const longestPunycodeUnits = 1900;
const plain = /^[A-Za-z0-9-]+$/;
const beyondAscii = /[^\0-\x7F]/;
const notForLabels = /[^a-z0-9]/g;
const notForShells = /[^A-Za-z0-9_]/g;
const notForVariables = /[\0-\x20\x7F#=]/;

/** @param fold - From {@link loadFolding}. */
export function encodeServiceName(service: string, fold: Fold): ServiceNames {
  if (plain.test(service)) {
    const shell = service.replaceAll('-', '_');

    return {
      hostname: withDomain(trimHyphens(service.toLowerCase())),
      generic: prefix + service,
      shell: prefix + shell,
    };
  }

  const generic = encodeVariable(service, fold);

  return {
    hostname: encodeHostname(service),
    generic: generic === undefined || notForVariables.test(generic) ? undefined : prefix + generic,
    shell: generic === undefined ? undefined : prefix + generic.replaceAll(notForShells, '_'),
  };
}

/** The folding that these service names need. Its table is loaded only for names beyond ASCII. */
export async function loadFolding(services: Iterable<string>): Promise<Fold> {
  for (const service of services) {
    if (beyondAscii.test(service)) {
      return (await import('./ascii-folding.ts')).foldToAscii;
    }
  }

  return keep;
}

/** Octets of the label that a hostname of ours begins with. DNS allows 63 (RFC 1035, section 2.3.4). */
export function labelSizeOctets(hostname: string): number {
  return hostname.length - domain.length;
}

/** A service name for a message: on one line, and without a control character for the reader's terminal. */
export function quoteName(name: string): string {
  return JSON.stringify(name).replaceAll(
    /[\x7F-\x9F\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function encodeHostname(service: string): string | undefined {
  return canEncode(service)
    ? withDomain(trimHyphens(punycode.toASCII(service).toLowerCase().replaceAll(notForLabels, '-')))
    : undefined;
}

function encodeVariable(service: string, fold: Fold): string | undefined {
  const folded = fold(service);
  if (!canEncode(folded)) {
    return undefined;
  }

  return (beyondAscii.test(folded) ? punycode.encode(folded) : folded).replaceAll(/[ =]/g, '_');
}

/** Punycode counts in 31 bits, which longer texts can overflow, and takes time by the square of the length. */
function canEncode(text: string): boolean {
  return text.length <= longestPunycodeUnits || !beyondAscii.test(text);
}

function withDomain(label: string): string | undefined {
  return label === '' ? undefined : label + domain;
}

// A loop: `/-+$/` takes quadratic time on a long run of hyphens that something follows.
function trimHyphens(label: string): string {
  let end = label.length;
  while (label[end - 1] === '-') {
    end -= 1;
  }

  return label.slice(0, end);
}

function keep(text: string): string {
  return text;
}
