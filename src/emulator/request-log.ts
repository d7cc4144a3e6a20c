// What was asked, for those who test what asks.

export type RecordedRequest = {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** 101 where it became a listener of the pipeline, 0 where a fault left it without an answer. */
  readonly status: number;
};

export type RequestLog = {
  /** Oldest first; the last 10,000 at most. */
  readonly requests: readonly RecordedRequest[];
  /** How many there were for a path without its query, from the beginning. */
  readonly count: (path: string) => number;
  readonly add: (request: RecordedRequest) => void;
};

const limit = 10_000;

export function createRequestLog(): RequestLog {
  const requests: RecordedRequest[] = [];
  const counts = new Map<string, number>();
  return {
    requests,
    count: (path) => counts.get(path) ?? 0,
    add: (request) => {
      if (requests.length === limit) requests.shift();
      requests.push(request);
      const [path = ''] = request.path.split('?');
      counts.set(path, (counts.get(path) ?? 0) + 1);
    },
  };
}
