// The version of this program. From package.json, by src/build/bundle.ts.

// oxlint-disable-next-line no-underscore-dangle -- the form that build-time constants have
declare const __VERSION__: string | undefined;

/** Sources that run unbuilt, as in a test, have none. */
export const version = typeof __VERSION__ === 'string' ? __VERSION__ : 'unbuilt';
