// `npm run nodes`: what test/package/nodes.test.ts and `npm run test:nodes` need.
import { installNode, nodeLines } from './nodes.ts';

for (const line of nodeLines) {
  process.stdout.write(`Node ${line}: ${installNode(line)}\n`);
}
