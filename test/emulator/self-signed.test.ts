import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createSelfSigned } from '../../src/emulator/self-signed.ts';

describe('a self-signed certificate', () => {
  test('is valid for each of its domains and for no other, and signed by its own key', () => {
    const { bundle, privateKey } = createSelfSigned(['shop.example.com', '*.example.org']);
    const certificate = new X509Certificate(bundle);

    expect(certificate.checkHost('shop.example.com')).toBe('shop.example.com');
    expect(certificate.checkHost('www.example.org')).toBe('*.example.org');
    expect(certificate.checkHost('example.net')).toBeUndefined();
    expect(certificate.checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.validTo).toBe('Dec 31 23:59:59 2049 GMT');
  });

  test('has a domain of another script in its ASCII form', () => {
    const certificate = new X509Certificate(createSelfSigned(['*.bücher.example']).bundle);

    expect(certificate.subjectAltName).toBe('DNS:*.xn--bcher-kva.example');
  });

  test('of a hundred domains, and of a name over 64 characters, is well-formed', () => {
    const domains = Array.from({ length: 100 }, (_, n) => `${'x'.repeat(63)}.${n}.example.com`);
    const certificate = new X509Certificate(createSelfSigned(domains).bundle);

    expect(certificate.checkHost(domains[99] ?? '')).toBe(domains[99]);
  });

  test('is the same in every run, and another for other domains', () => {
    expect(createSelfSigned(['a.example'])).toEqual(createSelfSigned(['a.example']));
    expect(createSelfSigned(['a.example']).privateKey).not.toBe(
      createSelfSigned(['b.example']).privateKey,
    );
  });

  test('serves TLS to a client that trusts it', async () => {
    const { bundle, privateKey } = createSelfSigned(['shop.example.com']);
    const server = createServer({ cert: bundle, key: privateKey }, (socket) => socket.end('hello'));
    onTestFinished(() => void server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const client = connect({ port, host: '127.0.0.1', ca: bundle, servername: 'shop.example.com' });
    const [received] = await once(client, 'data');

    expect(String(received)).toBe('hello');
    expect(client.authorized).toBe(true);
  });
});
