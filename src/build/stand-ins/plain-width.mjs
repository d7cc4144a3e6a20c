// In place of string-width: the help is plain ASCII.

// oxlint-disable-next-line import/no-default-export -- that is what yargs imports
export { lengthOf as default };

function lengthOf(text) {
  return text.length;
}
