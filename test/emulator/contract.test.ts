// Every answer against the platform's published OpenAPI document, which is no part of this project.
//
// A clone without ../shared/contract skips this file and says so; WARP_INIT_REQUIRE_CONTRACT=1 makes it fail instead.
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { completePlatform } from '../../src/emulator/platform.ts';
import { checkPlatformFile, readPlatformFile } from '../../src/emulator/platform-file.ts';
import { createState, faultResponse, respond } from '../../src/emulator/respond.ts';
import type { ApiState } from '../../src/emulator/respond.ts';
import type { Platform } from '../../src/emulator/platform.ts';
import { fixturePath } from './rig.ts';
import { nastyPlatform } from './nasty-platform.ts';

const contractPath = new URL('../../../shared/contract/internal-api.openapi.json', import.meta.url)
  .pathname;
const isRequired = process.env['WARP_INIT_REQUIRE_CONTRACT'] === '1';
const isSkipped = !existsSync(contractPath) && !isRequired;
if (isSkipped) {
  process.stderr.write(`Skipped: the contract of the platform is not at ${contractPath}\n`);
}

/** By the path that we ask; the path in the contract, and the schema of the resource. */
const endpoints = [
  ['/v1/container', '/v1/container', 'Container'],
  ['/v1/container/instances', '/v1/container/instances', 'Instance'],
  ['/v1/containers/certificates', '/v1/containers/certificates', 'Certificate'],
  // Where older platforms serve what the contract now has elsewhere.
  ['/v1/container/certificates', '/v1/containers/certificates', 'Certificate'],
  ['/v1/environment', '/v1/environment', 'Environment'],
  ['/v1/environment/containers', '/v1/environment/containers', 'Container'],
  ['/v1/environment/instances', '/v1/environment/instances', 'Instance'],
  ['/v1/environment/scoped-variables', '/v1/environment/scoped-variables', undefined],
  ['/v1/server', '/v1/server', 'Server'],
  ['/v1/server/instances', '/v1/server/instances', 'Instance'],
  ['/v1/hub', '/v1/hub', 'PublicHub'],
] as const;

describe.skipIf(isSkipped)('by the published contract (skipped without ../shared/contract)', () => {
  test.each(endpoints)('%s answers the fixture with the shape of %s', (path, published, schema) => {
    const platform = completePlatform(readPlatformFile(fixturePath), fixturePath);

    expect(problemsOf(stateOf(platform), path, { published, schema })).toEqual([]);
  });

  test('every endpoint answers any platform with its shape', () => {
    fc.assert(
      fc.property(nastyPlatform, (file) => {
        const platform = completePlatform(checkPlatformFile(file, 'generated'), 'generated');
        const state = stateOf(platform);
        const problems = endpoints.flatMap(([path, published, schema]) =>
          problemsOf(state, path, { published, schema }),
        );
        expect(problems).toEqual([]);
      }),
    );
  });

  test('every service can be asked for by its id', () => {
    fc.assert(
      fc.property(nastyPlatform, (file) => {
        const platform = completePlatform(checkPlatformFile(file, 'generated'), 'generated');
        const problems = platform.services.flatMap(({ id }) =>
          problemsOf(stateOf(platform), `/v1/container?container-id=${id}`, {
            published: '/v1/container',
            schema: 'Container',
          }),
        );
        expect(problems).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  test.each([
    ['a wrong token', { method: 'GET', target: '/v1/hub', token: 'wrong' }],
    ['no token', { method: 'GET', target: '/v1/hub', token: undefined }],
    ['an unknown path', { method: 'GET', target: '/v1/nothing', token: 'right' }],
    ['a wrong method', { method: 'DELETE', target: '/v1/hub', token: 'right' }],
    [
      'an unknown container',
      { method: 'GET', target: '/v1/container?container-id=1', token: 'right' },
    ],
  ])('the answer to %s is the published error envelope', (_what, request) => {
    const file = checkPlatformFile({ token: 'right', services: { web: {} } }, 'here');
    const [response] = respond(stateOf(completePlatform(file, 'here')), request, 0);
    const validate = contract().compile({ $ref: 'contract#/components/schemas/ErrorEnvelope' });

    validate(JSON.parse(response.body.toString()));
    expect(validate.errors ?? []).toEqual([]);
  });

  test.each(['401.auth-invalid', '500.unknown'] as const)(
    'the answer of the fault %s is the published error envelope',
    (code) => {
      const validate = contract().compile({ $ref: 'contract#/components/schemas/ErrorEnvelope' });

      validate(JSON.parse(faultResponse(code).body.toString()));
      expect(validate.errors ?? []).toEqual([]);
    },
  );
});

function stateOf(platform: Platform): ApiState {
  return createState(platform, 0);
}

function problemsOf(
  state: ApiState,
  target: string,
  expected: { readonly published: string; readonly schema: string | undefined },
): unknown[] {
  const [response] = respond(state, { method: 'GET', target, token: state.token }, 0);
  const answer: { data: unknown } = JSON.parse(response.body.toString());
  const { published, schema } = expected;
  return [
    ...(response.status === 200 ? [] : [response.status]),
    ...errorsOf(answerSchema(published), answer),
    ...(schema === undefined
      ? []
      : [answer.data].flat().flatMap((one) => errorsOf(closed(schema), one))),
  ].map((problem) => ({ target, problem }));
}

function errorsOf(schema: object, value: unknown): unknown[] {
  const validate = contract().compile(schema);
  validate(value);
  return validate.errors ?? [];
}

const schemas = new Map<string, object>();

/** One object a schema: ajv compiles each object once. */
function schemaOnce(key: string, schema: object): object {
  const known = schemas.get(key) ?? schema;
  schemas.set(key, known);
  return known;
}

function answerSchema(path: string): object {
  const pointer = [
    'paths',
    path,
    'get',
    'responses',
    '200',
    'content',
    'application/json',
    'schema',
  ]
    .map((word) => word.replaceAll('/', '~1'))
    .join('/');
  return schemaOnce(path, { $ref: `contract#/${pointer}` });
}

/** The resource, and no field that the contract does not know. */
function closed(name: string): object {
  return schemaOnce(name, {
    $ref: `contract#/components/schemas/${name}`,
    unevaluatedProperties: false,
  });
}

let ajv: Ajv2020 | undefined;

function contract(): Ajv2020 {
  ajv ??= loadContract();
  return ajv;
}

function loadContract(): Ajv2020 {
  const document = JSON.parse(readFileSync(contractPath, 'utf8'));
  // A slip of the published document: three names in one string, which no answer could have.
  const { Error: errorSchema } = document.components.schemas;
  errorSchema.required = errorSchema.required.flatMap((names: string) => names.split(', '));
  const loaded = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(loaded);
  loaded.addFormat('objectid', /^[0-9a-f]{24}$/);
  loaded.addFormat('ip-address', (text) => isIP(text) !== 0);
  loaded.addFormat('cidr', (text) => isIP(text.split('/')[0] ?? '') !== 0);
  loaded.addSchema({ ...document, $id: 'contract' });
  return loaded;
}
