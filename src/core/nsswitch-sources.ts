// The sources of one line of nsswitch.conf(5), with what each status of them leads to.
//
//   files [NOTFOUND=return] dns        source [ [!]STATUS=ACTION ... ] source ...

type Status = 'success' | 'notfound' | 'unavail' | 'tryagain';
type Action = 'return' | 'continue' | 'merge';

export type Source = {
  readonly name: string;
  readonly actions: Readonly<Record<Status, Action>>;
  /** As written, for messages: `dns [!UNAVAIL=return]`. */
  readonly written: string;
};

/** @returns `fault`: a word that glibc cannot read; it then drops the whole file. */
export function parseSources(
  spec: string,
): { readonly sources: readonly Source[] } | { readonly fault: string } {
  const sources: Source[] = [];
  // A source and the brackets behind it; brackets without a source before them end the line.
  const source = /[ \t\v\f\r]*([^ \t\v\f\r[]+)[ \t\v\f\r]*(?:(\[)([^\]]*)(\]?))?/y;

  for (let match = source.exec(spec); match !== null; match = source.exec(spec)) {
    const [written, name = '', open, criteria = '', close] = match;
    const actions = open === undefined ? defaults : parseCriteria(criteria);
    if (actions === undefined || (open !== undefined && close !== ']')) {
      return { fault: `[${criteria.trim()}${close ?? ''}` };
    }

    sources.push({ name, actions, written: written.trim() });
  }

  return { sources };
}

/** Whether a lookup of a name that only /etc/hosts knows can end at this source. */
export function endsLookup({ name, actions }: Source, isLocal: boolean): boolean {
  return statusesOf(name, isLocal).some((status) => actions[status] === 'return');
}

const statuses = ['success', 'notfound', 'unavail', 'tryagain'] as const satisfies Status[];

const defaults = {
  success: 'return',
  notfound: 'continue',
  unavail: 'continue',
  tryagain: 'continue',
} as const satisfies Record<Status, Action>;

function parseCriteria(text: string): Record<Status, Action> | undefined {
  const actions: Record<Status, Action> = { ...defaults };
  const criterion =
    /[ \t\v\f\r]*(!?)(success|notfound|unavail|tryagain)[ \t\v\f\r]*=[ \t\v\f\r]*(return|continue|merge)(?:[ \t\v\f\r]+|$)/iy;
  let end = 0;

  for (let match = criterion.exec(text); match !== null; match = criterion.exec(text)) {
    end = criterion.lastIndex;
    const status = statuses.find((known) => known === match[2]?.toLowerCase());
    const action = actionNames.find((known) => known === match[3]?.toLowerCase());
    for (const each of statuses) {
      if (action !== undefined && (each === status) === (match[1] === '')) {
        actions[each] = action;
      }
    }
  }

  return end > 0 && end === text.length ? actions : undefined;
}

const actionNames = ['return', 'continue', 'merge'] as const satisfies Action[];

/**
 * What a source can answer. `resolve`: systemd-resolved knows /etc/hosts itself, and where it does not run the source is
 * unavailable. `mdns4_minimal`: not found for `.local` alone, unavailable for every other name.
 */
function statusesOf(name: string, isLocal: boolean): readonly Status[] {
  if (name === 'resolve' || /^mdns[46]?_minimal$/.test(name)) {
    return isLocal && name !== 'resolve' ? ['notfound', 'unavail'] : ['unavail'];
  }

  return name === 'myhostname' || name === 'mymachines'
    ? ['notfound', 'unavail']
    : ['notfound', 'unavail', 'tryagain'];
}
