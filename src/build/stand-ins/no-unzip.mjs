// In place of minizlib: the tar that we parse was unzipped before.

export { never as BrotliDecompress, never as Unzip, never as ZstdDecompress };

function never() {
  throw new Error('Cannot unzip: src/build/stand-ins.ts left it out of the bundle');
}
