// In place of human-signals: execa puts a signal's description into messages that we do not show.

export const signalsByName = new Proxy({}, { get: (_, name) => ({ description: name }) });
