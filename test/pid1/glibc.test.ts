// pid1 linked with glibc's static library, as a machine without musl builds it.
import { describe } from 'vitest';

import { describeBasics } from './basics.ts';

describe('with glibc', () => {
  describeBasics('glibc');
});
