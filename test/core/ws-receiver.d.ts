// What ws exports and @types/ws leaves out.
import type { Writable } from 'node:stream';

declare module 'ws' {
  class Receiver extends Writable {
    constructor(options: { maxPayload: number; skipUTF8Validation: boolean });
  }
}
