// A self-signed certificate for a laptop. Real X.509, no secret: its private key is derived from the domains, so
// that every run gives the same; whoever knows the domains knows the key.
//
// X.509 v3 as in RFC 5280, Ed25519 as in RFC 8410, both in DER (X.690). node:crypto signs, but builds no certificates.
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { domainToASCII } from 'node:url';

/** Both PEM, PKCS#8 the key. Valid from 2026 to 2049 for each of `domains`, of which there is at least one. */
export function createSelfSigned(domains: readonly string[]): {
  privateKey: string;
  bundle: string;
} {
  const asciiDomains = domains.map(toAscii);
  const seed = createHash('sha256')
    .update(JSON.stringify(['emulator', ...asciiDomains]))
    .digest();
  const key = createPrivateKey({ key: wrapSeed(seed), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const content = buildContent(asciiDomains, publicKey, seed);
  const signature = sign(null, content, key);
  const certificate = der(
    tag.sequence,
    content,
    ed25519,
    der(tag.bitString, noUnusedBits, signature),
  );
  return {
    privateKey: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
    bundle: formatPem('CERTIFICATE', certificate),
  };
}

const tag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82,
  version: 0xa0,
  extensions: 0xa3,
} as const satisfies Record<string, number>;

const noUnusedBits = Buffer.from([0]);
/** 1.3.101.112, RFC 8410 section 3. */
const ed25519 = der(tag.sequence, der(tag.objectId, Buffer.from('2b6570', 'hex')));

/** TBSCertificate, RFC 5280 section 4.1.2. */
function buildContent(domains: readonly string[], publicKey: Buffer, seed: Buffer): Buffer {
  // The first bit of a positive INTEGER is 0, and its first octet is not.
  const serial = Buffer.from([0x40, ...seed.subarray(0, 7)]);
  const name = buildName(domains[0] ?? 'localhost');
  const validity = der(
    tag.sequence,
    der(tag.utcTime, Buffer.from('260101000000Z')),
    der(tag.utcTime, Buffer.from('491231235959Z')),
  );
  return der(
    tag.sequence,
    der(tag.version, der(tag.integer, Buffer.from([2]))),
    der(tag.integer, serial),
    ed25519,
    name,
    validity,
    name,
    publicKey,
    der(tag.extensions, der(tag.sequence, buildAlternativeNames(domains))),
  );
}

/** One common name (2.5.4.3), at most 64 characters (RFC 5280 appendix A.1). */
function buildName(commonName: string): Buffer {
  const type = der(tag.objectId, Buffer.from('550403', 'hex'));
  const value = der(tag.utf8String, Buffer.from(commonName.slice(0, 64)));
  return der(tag.sequence, der(tag.set, der(tag.sequence, type, value)));
}

/** subjectAltName (2.5.29.17). */
function buildAlternativeNames(domains: readonly string[]): Buffer {
  const names = domains.map((domain) => der(tag.dnsName, Buffer.from(domain, 'ascii')));
  const type = der(tag.objectId, Buffer.from('551d11', 'hex'));
  return der(tag.sequence, type, der(tag.octetString, der(tag.sequence, ...names)));
}

function der(type: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([type, content.length]), content]);
  const hex = content.length.toString(16);
  const length = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([type, 0x80 | length.length]), length, content]);
}

/** PKCS#8 of an Ed25519 key, RFC 8410 section 7: constant octets, then the 32 of the key. */
function wrapSeed(seed: Buffer): Buffer {
  return Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
}

function formatPem(label: string, content: Buffer): string {
  const lines = content.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

function toAscii(domain: string): string {
  const [, star = '', rest = ''] = /^(\*\.)?(.*)$/su.exec(domain) ?? [];
  return star + domainToASCII(rest);
}
