// The short JSON that a person writes: its type, and the way from text to a checked file.
//
// Shorthands are spelled out here, and what the file leaves out stays out: platform.ts derives it.
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { errnoOf, exitStatus, StartError } from '../errors.ts';
import { findJsonError } from './json-error.ts';
import { describeIssues } from './platform-issues.ts';
import { platformSchema } from './platform-schema.ts';
import type { CheckedFile } from './platform-schema.ts';

/** What PLATFORM.json may hold. Only `services` is needed. */
export type PlatformFile = {
  /** What clients send as X-CYCLE-TOKEN. Default `emulator`. */
  token?: string;
  hub?: string | { id?: string; name: string };
  environment?: string | { id?: string; name: string };
  /** Hostname of the server that `self` runs on, and of every instance that names no other. */
  server?: string | { id?: string; hostname: string };
  /** Key, name or id of the service that asks. Default: the first one. */
  self?: string;
  /** By name, or a list where two services have one name. */
  services:
    | Record<string, ServiceFile>
    | ({ name: string } & Exclude<ServiceFile, string | unknown[]>)[];
  /** By identifier. */
  secrets?: Record<string, string | SecretFile>;
  certificates?: CertificateFile[];
};

/** An address, a list of instances, or everything that can be said of a service. */
type ServiceFile = string | InstanceFile[] | ServiceFields;

export type ServiceFields = {
  id?: string;
  /** Default: the key. */
  name?: string;
  identifier?: string;
  /** Version of the deployment that the service is in. */
  deployment?: string;
  state?: string;
  /** Makes it one of the platform's own services: `discovery`, `vpn`, `loadbalancer`, … */
  platform_service?: string;
  /** Default: one, on 127.0.0.1. */
  instances?: InstanceFile[];
};

/** An IPv4 or IPv6 address, or everything that can be said of an instance. */
export type InstanceFile =
  | string
  | {
      id?: string;
      hostname?: string;
      /** Hostname of its server. */
      server?: string;
      ipv4?: string;
      ipv6?: string;
      /** `null`: has a health check that has not reported yet. Absent: has none. */
      healthy?: boolean | null;
      ready?: boolean | null;
      draining?: boolean;
      ready_state?: string;
      state?: string;
    };

type SecretFile = {
  value: string;
  /** The API gives it for this long after the emulator has started: `"500ms"`, `"30s"`, `"2m"`, `"1h"`. */
  duration?: string;
  /** The API gives it in one answer only. */
  once?: boolean;
};

type CertificateFile = {
  id?: string;
  domains: string[];
  /** PEM. Default, for both together: a self-signed certificate, see self-signed.ts. */
  private_key?: string;
  bundle?: string;
};

/**
 * @param path - Of PLATFORM.json.
 * @throws {StartError} `E_PLATFORM_FILE`, status 78, with every problem of the file at once.
 */
export function readPlatformFile(path: string): CheckedFile {
  return checkPlatformFile(parseJson(readText(path), path), path);
}

/**
 * @param where - What a problem's report calls the file.
 * @throws {StartError} as {@link readPlatformFile} does.
 */
export function checkPlatformFile(value: unknown, where: string): CheckedFile {
  const result = v.safeParse(platformSchema, value);
  if (result.success) return result.output;
  throw platformFileError(where, describeIssues(result.issues));
}

/** Many problems, one error. */
export function platformFileError(where: string, problems: readonly string[]): StartError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const list = problems.map((problem) => `\n  ${problem}`).join('');
  return new StartError(
    'E_PLATFORM_FILE',
    `Cannot use the platform file ${where}: ${count}${list}`,
    {
      exitCode: exitStatus.config,
      remedy: { where, fix: 'Correct these places; docs/emulator.md has the format.' },
    },
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const reason =
      errnoOf(cause) === 'ENOENT' ? 'no such file' : (errnoOf(cause) ?? 'not readable');
    throw new StartError('E_PLATFORM_FILE', `Cannot read the platform file ${path}: ${reason}`, {
      exitCode: exitStatus.config,
      remedy: { where: path, fix: 'Give the path of a JSON file that says what the platform has.' },
      cause,
    });
  }
}

function parseJson(text: string, where: string): unknown {
  const json = text.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(json);
  } catch {
    // V8's message quotes the text around the error, and that may be a secret: neither it nor its cause is passed on.
    throw platformFileError(where, [findJsonError(json)]);
  }
}
