// What the control socket answers: a method and a path to a status and a text. Documented in docs/operations.md.
import { formatMetrics, metricsContentType } from '../core/metrics.ts';
import { type ReloadReport, hasWorked } from '../core/reload-report.ts';
import { type Status, formatDocument } from '../core/status.ts';

/** What a running init can be asked for. */
export type Operations = {
  readonly status: () => Promise<Status>;
  /** The text of `ist.json` as it is now; undefined where it is not known. */
  readonly ist: () => string | undefined;
  /** The identifiers of those that init holds. */
  readonly secrets: () => readonly string[];
  /**
   * Also reads `warp.config.js` again. Resolves when the reload has finished.
   *
   * @param isNow - Neither quiet time nor the spacing of restarts holds it up.
   */
  readonly reload: (isNow: boolean) => Promise<ReloadReport>;
  /** The last lines of the log: JSON, one on a line. */
  readonly log: () => string;
};

export type ControlAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** The `Allow` header. */
  readonly allow?: string;
};

/** Of the status; the reload takes as long as it takes. pid1 answers in microseconds. */
export type AnswerDeadline = { readonly statusMs: number };

/** `query`: what follows the question mark. */
type Question = AnswerDeadline & { readonly query: string };

export type Asked = { readonly method: string; readonly url: string };

/** Rejects with what the operation has thrown. */
export async function answer(
  { method, url }: Asked,
  operations: Operations,
  deadline: AnswerDeadline,
): Promise<ControlAnswer> {
  const [path = '', query = ''] = url.split('?', 2);
  const route = routes.get(path);
  if (route === undefined) {
    return describeFailure(404, `There is nothing at this path; there are ${paths()}`);
  }

  // A HEAD is a GET whose text stays with us; node:http sees to that.
  const allowed = route.method === 'GET' ? ['GET', 'HEAD'] : [route.method];
  if (!allowed.includes(method)) {
    const allow = allowed.join(', ');
    return { ...describeFailure(405, `Ask for this path by ${allow}`), allow };
  }

  return route.answer(operations, { ...deadline, query });
}

type Route = {
  readonly method: 'GET' | 'POST';
  readonly answer: (
    operations: Operations,
    question: Question,
  ) => ControlAnswer | Promise<ControlAnswer>;
};

const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  [
    '/status',
    {
      method: 'GET',
      answer: (operations, question) =>
        withStatus(operations, question, (status) => json(200, formatDocument(status))),
    },
  ],
  [
    '/ist',
    {
      method: 'GET',
      answer: ({ ist }) => {
        const text = ist();
        return text === undefined
          ? describeFailure(503, 'The map is not known before the platform has answered')
          : json(200, text);
      },
    },
  ],
  [
    '/secrets',
    {
      method: 'GET',
      answer: ({ secrets }) => json(200, formatDocument({ version: 1, identifiers: secrets() })),
    },
  ],
  [
    '/log',
    {
      method: 'GET',
      answer: ({ log }) => ({ status: 200, contentType: 'application/x-ndjson', text: log() }),
    },
  ],
  [
    '/reload',
    {
      method: 'POST',
      answer: async ({ reload }, { query }) => {
        if (query !== '' && query !== 'now') {
          return describeFailure(400, 'Ask for /reload, or for /reload?now');
        }

        const report = await reload(query === 'now');
        // So that `curl --fail` knows, too.
        return json(hasWorked(report) ? 200 : 500, formatDocument(report));
      },
    },
  ],
  [
    '/metrics',
    {
      method: 'GET',
      answer: (operations, question) =>
        withStatus(operations, question, (status) => ({
          status: 200,
          contentType: metricsContentType,
          text: formatMetrics(status, Date.now()),
        })),
    },
  ],
]);

/** In the form that the platform's errors have. */
export function describeFailure(status: number, detail: string): ControlAnswer {
  return json(status, formatDocument({ error: { status, detail } }));
}

function paths(): string {
  return [...routes].map(([path, { method }]) => `${method} ${path}`).join(', ');
}

function json(status: number, text: string): ControlAnswer {
  return { status, contentType: 'application/json', text };
}

async function withStatus(
  operations: Operations,
  { statusMs }: AnswerDeadline,
  format: (status: Status) => ControlAnswer,
): Promise<ControlAnswer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), statusMs).unref();
  });
  try {
    const status = await Promise.race([operations.status(), late]);
    return status === undefined
      ? describeFailure(503, `PID 1 did not answer within ${statusMs} ms`)
      : format(status);
  } finally {
    clearTimeout(timer);
  }
}
