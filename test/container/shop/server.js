// The app of the tests: says what it was given, serves, hears HUP and TERM.
'use strict';

const { lookup } = require('node:dns/promises');
const { createServer } = require('node:http');
const { WebSocketServer } = require('ws');

async function say(event) {
  const { DB_HOST, DATABASE_URL, WARP_IST_my_db } = process.env;
  const found = await lookup('my-db.warp').catch((error) => ({ address: error.code }));
  const line = {
    event,
    uid: process.getuid(),
    groups: process.getgroups(),
    parent: process.ppid,
    node: process.version,
    address: found.address,
    variables: { DB_HOST, DATABASE_URL, WARP_IST_my_db },
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const server = createServer((_request, response) => void response.end('shop\n'));
const sockets = new WebSocketServer({ server });
process.on('SIGHUP', () => void say('reloaded'));
process.on('SIGTERM', () => {
  process.stdout.write('closing\n');
  sockets.close();
  server.close(() => process.exit(0));
});
server.listen(8080, () => void say('listens'));
