// What a start without a config file goes on with. Apart from config.ts, which needs valibot.
import type { ParsedConfig } from './config.ts';

export const emptyConfig: ParsedConfig = {
  args: undefined,
  variables: [],
  port: undefined,
  ist: [],
  init: {},
};
