// The package carries no types. Only what core/ascii-folding.ts uses.
declare module 'fold-to-ascii' {
  const folder: {
    /** Lucene's ASCIIFoldingFilter; what it does not know stays as it is. */
    foldMaintaining(text: string): string;
  };
  export = folder;
}
