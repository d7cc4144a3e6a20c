// `npm run nodes`: what test/package/nodes.test.ts, test/commands/check-node.test.ts and `npm run test:nodes` need.
import { installNode, nodeLines, unsupportedNodes } from './nodes.ts';

for (const version of [...nodeLines, ...unsupportedNodes]) {
  process.stdout.write(`Node ${version}: ${installNode(version)}\n`);
}
