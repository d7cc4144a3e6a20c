import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  type Notification,
  type Scope,
  changesOf,
  isNoChange,
  parseNotification,
  scopeOf,
} from '../../src/core/notification.ts';
import type { Container } from '../../src/core/snapshot.ts';

function read(frame: object): Notification {
  const parsed = parseNotification(JSON.stringify(frame));
  if (typeof parsed === 'string') {
    throw new TypeError(parsed);
  }

  return parsed;
}

const nothingSaid = { hub_id: 'hub', environments: null, containers: null, dns_zones: null };

function about(topic: string, context: object = {}, object: object = { id: 'some-id' }) {
  return read({ topic, object, context: { ...nothingSaid, ...context } });
}

describe('parseNotification', () => {
  test('reads topic, object and context of a frame as the platform writes it', () => {
    const text = `{"topic":"container.state.changed","object":{"id":"c1","state":"running","state_previous":"starting",
      "error":""},"context":{"hub_id":"h","environments":["e1"],"containers":["c1"],"dns_zones":null},"flags":{}}`;

    expect(parseNotification(text)).toEqual({
      topic: 'container.state.changed',
      id: 'c1',
      state: 'running',
      previousState: 'starting',
      environments: ['e1'],
      containers: ['c1'],
    });
  });

  test.each(['previous_state', 'state_previous'])('reads the state before from %s', (field) => {
    const object = { id: 'c1', state: 'running', [field]: 'new' };

    expect(about('container.state.changed', {}, object).previousState).toBe('new');
  });

  test.each<[string, string, object, boolean]>([
    ['from a state to the same one', 'container.state.changed', { state_previous: 'a' }, true],
    ['so in the other spelling', 'container.state.changed', { previous_state: 'a' }, true],
    ['from another one', 'container.state.changed', { state_previous: 'b' }, false],
    ['where the state before is not said', 'container.state.changed', {}, false],
    [
      'of what a renewal leaves in its state',
      'dns.certificate.state.changed',
      { state_previous: 'a' },
      false,
    ],
  ])('a change %s is none only there: %s', (_what, topic, before, isNone) => {
    expect(isNoChange(about(topic, {}, { id: 'c1', state: 'a', ...before }))).toBe(isNone);
  });

  test.each([
    ['null', null],
    ['missing', undefined],
    ['a string', 'e1'],
    ['an object', { e1: true }],
    ['a list of other things', [1, null, {}]],
  ])('a context whose lists are %s says nothing', (_what, list) => {
    const { environments, containers } = about('container.reconfigured', {
      environments: list,
      containers: list,
    });

    expect([environments, containers]).toEqual([[], []]);
  });

  test.each([
    ['no object', { topic: 'sdn.network.reconfigured', context: {} }],
    ['no context', { topic: 'sdn.network.reconfigured', object: { id: 'n' } }],
    ['null for both', { topic: 'sdn.network.reconfigured', object: null, context: null }],
  ])('a known topic with %s is still a notification', (_what, frame) => {
    expect(read(frame).topic).toBe('sdn.network.reconfigured');
  });

  test.each([
    ['', 'not-json'],
    ['{"topic":"container.reconfigured"', 'not-json'],
    ['\u0000\u0001', 'not-json'],
    ['null', 'not-a-notification'],
    ['[]', 'not-a-notification'],
    ['"container.reconfigured"', 'not-a-notification'],
    ['{"object":{},"context":{}}', 'not-a-notification'],
    ['{"topic":["container.reconfigured"]}', 'not-a-notification'],
    ['{"topic":"dns.zone.verified"}', 'unknown-topic'],
    ['{"topic":"container.reconfigured "}', 'unknown-topic'],
    ['{"topic":"constructor"}', 'unknown-topic'],
    ['{"topic":"__proto__"}', 'unknown-topic'],
  ])('%j is %s', (text, why) => {
    expect(parseNotification(text)).toBe(why);
  });

  test('never throws and never invents a field, whatever JSON comes', () => {
    const word = fc.constantFrom(
      'topic',
      'object',
      'context',
      'environments',
      'containers',
      'id',
      '__proto__',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        fc.constantFrom(null, 0, '', 'container.reconfigured', 'e1'),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(word, tie('tree')),
      ),
    }));
    fc.assert(
      fc.property(tree, (frame) => {
        const parsed = parseNotification(JSON.stringify(frame));
        const lists = typeof parsed === 'string' ? [] : [parsed.environments, parsed.containers];
        expect(lists.flat().every((item) => typeof item === 'string')).toBe(true);
      }),
    );
  });

  test.each([
    'dns.zone.reconfigured',
    'dns.zone.records.reconfigured',
    'dns.zone.verified',
    'environment.services.lb.ips.modified',
    'sdn.network.created',
  ])('%s, which the contract has, too, can concern nobody here', (topic) => {
    expect(parseNotification(JSON.stringify({ topic, object: {}, context: {} }))).toBe(
      'unknown-topic',
    );
  });
});

describe('changesOf', () => {
  const scope: Scope = {
    environmentId: 'ours',
    hiddenContainerIds: new Set(['hidden-1', 'hidden-2']),
  };

  test.each([
    ['container.instances.reconfigured', 'ist'],
    ['container.reconfigured', 'ist'],
    ['container.state.changed', 'ist'],
    ['container.instance.state.changed', 'ist'],
    ['container.instance.health.status.changed', 'ist'],
    ['container.instance.readiness.status.changed', 'ist'],
    ['container.instance.traffic-drain.reconfigured', 'ist'],
    ['environment.services.reconfigured', 'ist'],
    ['environment.deployments.reconfigured', 'ist'],
    ['sdn.network.reconfigured', 'ist'],
    ['environment.scoped-variable.new', 'secrets'],
    ['environment.scoped-variable.updated', 'secrets'],
    ['environment.scoped-variable.state.changed', 'secrets'],
    ['dns.zone.certificate.ready', 'certificates'],
    ['dns.certificate.state.changed', 'certificates'],
  ])('after %s the %s are fetched', (topic, kind) => {
    expect(changesOf(about(topic, { environments: ['ours'] }), scope)).toEqual([kind]);
  });

  test.each([
    ['of our environment', { environments: ['ours'] }],
    ['of several environments with ours', { environments: ['other', 'ours'] }],
    ['of an environment that is not said', { environments: null }],
    ['of no environment', { environments: [] }],
    ['about a container that was in no snapshot', { containers: ['brand-new'] }],
    ['about a hidden container and another one', { containers: ['hidden-1', 'brand-new'] }],
    ['about no container', { containers: [] }],
  ])('a notification %s is followed', (_what, context) => {
    expect(changesOf(about('container.state.changed', context), scope)).toEqual(['ist']);
  });

  test.each([
    ['of another environment', { environments: ['other'] }],
    ['of two other environments', { environments: ['other', 'third'] }],
    ['about a container that we may not see', { environments: ['ours'], containers: ['hidden-1'] }],
    ['about two of them', { containers: ['hidden-1', 'hidden-2'] }],
  ])('a notification %s is not', (_what, context) => {
    expect(changesOf(about('container.state.changed', context), scope)).toEqual([]);
  });

  test.each(['container.state.changed', 'container.instances.reconfigured'])(
    '%s names its container by the object where the context does not',
    (topic) => {
      expect(changesOf(about(topic, {}, { id: 'hidden-1' }), scope)).toEqual([]);
    },
  );

  test('the id of an instance is not taken for that of a container', () => {
    const notification = about('container.instance.state.changed', {}, { id: 'hidden-1' });

    expect(changesOf(notification, scope)).toEqual(['ist']);
  });

  test.each(['container.reconfigured', 'environment.deployments.reconfigured'])(
    'after %s a hidden container may be one of our deployment, so it is followed',
    (topic) => {
      expect(changesOf(about(topic, { containers: ['hidden-1'] }), scope)).toEqual(['ist']);
      expect(changesOf(about(topic, { environments: ['other'] }), scope)).toEqual([]);
    },
  );

  test('a secret that is only for containers we may not see is not ours', () => {
    const notification = about('environment.scoped-variable.updated', { containers: ['hidden-1'] });

    expect(changesOf(notification, scope)).toEqual([]);
  });

  test('without knowing our environment every one may be ours', () => {
    const unknown = { ...scope, environmentId: undefined };

    expect(
      changesOf(about('container.reconfigured', { environments: ['other'] }), unknown),
    ).toEqual(['ist']);
  });
});

function container(id: string, deployment?: string): Container {
  return { id, name: id, identifier: id, ...(deployment !== undefined && { deployment }) };
}

describe('scopeOf', () => {
  const containers = [container('blue', 'v1'), container('green', 'v2'), container('none')];
  const environment = { id: 'ours', name: 'shop' };

  test('hides the containers of other deployments', () => {
    const scope = scopeOf({
      self: container('blue', 'v1'),
      containers,
      instances: [],
      environment,
    });

    expect(scope.environmentId).toBe('ours');
    expect([...scope.hiddenContainerIds]).toEqual(['green']);
  });

  test('hides nothing from a container in no deployment', () => {
    const scope = scopeOf({ self: container('none'), containers, instances: [] });

    expect(scope.environmentId).toBeUndefined();
    expect([...scope.hiddenContainerIds]).toEqual([]);
  });
});
