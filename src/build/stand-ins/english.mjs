// In place of y18n: yargs speaks English, and looks for no translations where the bundle happens to lie.
import { format } from 'node:util';

// oxlint-disable-next-line import/no-default-export -- that is what yargs imports
export { translator as default };

function translator() {
  return {
    __: (text, ...values) => format(text, ...values),
    __n: (one, other, ...values) => {
      const text = values[0] === 1 ? one : other;
      return text.includes('%d') ? format(text, ...values) : format(text, ...values.slice(1));
    },
    setLocale: () => undefined,
  };
}
