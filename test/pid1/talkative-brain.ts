// A brain on Node for tests: it does what a brain should not, and touches process.stderr, which makes
// Node set O_NONBLOCK on it. Then it starts the command behind `--` and follows.
import { openLink } from '../../src/link/link.ts';

const link = openLink();
process.stderr.write('the brain talks\n');
if (link.hello.appPid === undefined) {
  const [file = '', ...args] = link.hello.argv.slice(link.hello.argv.indexOf('--') + 1);
  link.send({
    type: 'launch',
    launch: {
      file,
      argv: [file, ...args],
      environment: link.hello.environment,
      singleChild: false,
      subreaper: true,
      exec: false,
      lingerMs: 0,
      stopSignals: [],
      signalMap: new Map(),
      statusMap: new Map(),
    },
  });
}

link.follow(
  () => {},
  () => {},
);
