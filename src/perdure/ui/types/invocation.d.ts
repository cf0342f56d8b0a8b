// Types of the pages of one invocation. Global, so that the served files need not import them; none of this is served.

/** A row of `sys_invocation`; columns that are null may be left out. */
interface InvocationRow {
  id: string;
  status: string;
  target: string;
  [column: string]: any;
}

/** What an entry carries: a value (bytes), a failure, names of state, or nothing. */
interface Outcome {
  /** As the server says it: `Success`, `Failure`, `StateKeys`, `Void`, `InvocationId`. */
  kind: string;
  /** Left out where it is too long to be sent unasked: the entry at `index` has it. */
  value?: any;
  index: number;
  /** Bytes of the entry. */
  size: number;
}

interface Try {
  /** Milliseconds since 1970, as all times here. */
  at: number;
  message: string;
  trace: string;
  code: string | number | undefined;
}

interface Step {
  /** Names the step in the address. */
  key: string;
  /** Of the entry in the journal; -1 for what is not in it. */
  index: number;
  /** Where it stands among the entries of the journal. */
  place: number;
  kind: string;
  /** How it reads in the code of the handler. */
  code: string;
  name: string;
  /** A key of STATES. */
  state: string;
  begin: number;
  /** Null while it goes on. */
  end: number | null;
  input: Outcome | null;
  outcome: Outcome | null;
  /** The invocation that it called, sent, asked for or began. */
  child: string | null;
  tries: Try[];
  headers: { name: string; value: string }[];
  awakeable: string | null;
  until: number | null;
  /** Index of the entry with the outcome. */
  answer: number | null;
  /** The number under which the outcome comes. */
  completion: number | null;
  text: string;
  who: string;
  reason: string;
}

/** What is known of an invocation. row: null when it is not known (any more). journal: rows of `sys_journal`, the newest without a gap. */
interface Life {
  row: InvocationRow | null;
  journal: any[];
  /** Rows of `sys_journal_events`. */
  happenings: any[];
  /** Why older entries could not be read. */
  failure: string;
  loaded: boolean;
}

/** What is read of a journal. open: places in `steps` that have no outcome yet, by what they wait for. */
interface Read {
  journal: any[];
  steps: Step[];
  open: Record<string, number[]>;
}

/** A life and what is made of it. missing: entries before the first of `journal`. */
interface Story extends Life {
  row: any;
  known?: Read;
  steps: Step[];
  waits: ReturnType<typeof import("../static/logic/waits.js").waitsOf>;
  missing: number;
}

/** One row of the timeline. key: names it in the address. depth: how many calls it is below the invocation of the page. */
interface Line {
  key: string;
  id: string;
  story: Story;
  step: Step;
  depth: number;
}

/** A stretch of time and where it lies, from 0 (the beginning of the axis) to 1 (its end). */
interface Stretch {
  from: number;
  to: number;
  left: number;
  right: number;
  folded: boolean;
}

interface Axis {
  stretches: Stretch[];
  from: number;
  to: number;
}

/** The part of the axis that is seen. */
interface View {
  left: number;
  right: number;
}

interface Mark {
  left: number;
  text: string;
  folded: boolean;
}

/** What a prop of a name is, in all components of these pages. Each takes some of them. */
interface Props {
  id: string;
  ids: string[];
  story: Story;
  stories: Story[];
  row: InvocationRow;
  wait: Wait;
  step: Step;
  steps: Step[];
  line: Line;
  lines: Line[];
  pair: Pair;
  pairs: Pair[];
  outcome: Outcome;
  limit: Limit;
  axis: Axis;
  view: View;
  now: number;
  live: boolean;
  /** The row that the keyboard is to be on; each new object moves it there. */
  focused: { at: number };
  /** Of a bar: the stretch of time, or the moment where `to` is left out. */
  from: number;
  to?: number;
  /** Of a long table: what is seen of it, its columns and their classes, what its rows stand for and how one is drawn. */
  seen: Seen;
  columns: Record<string, string>;
  rows: any[];
  draw: (row: any, index: number) => any;
  /** Names and values; what is empty is left out. */
  [more: string]: any;
}

type Wait = Story["waits"][0];

/** What is seen of a long table: its rows from first to last. show: brings one of them into view. */
interface Seen {
  box: { current: any };
  look: () => void;
  show: (index?: number) => void;
  first: number;
  last: number;
}

/** What can be kept of a journal. last: the last index that can be; why: what stands in the way of more. */
interface Limit {
  last: number;
  why: string;
}

/** sign: `=` the same, `~` another value, `-` only in the first, `+` only in the second. */
interface Pair {
  key: string;
  a: Step | null;
  b: Step | null;
  sign: string;
}

/** Of the stream of events. */
interface Listener {
  onMessages: (messages: { event: string; data: any }[]) => void;
  onState?: (state: "live" | "lost") => void;
}

interface DiffLine {
  sign: string;
  text: string;
}

interface Chain {
  i: number;
  j: number;
  before: Chain | undefined;
}

interface ChangeProps {
  title: any;
  word: string;
  /** What it will do, said before it is done. */
  effect: any;
  danger?: boolean;
  disabled?: boolean;
  /** Carries it out and gives what is told afterwards, or null to stay open. */
  act: () => Promise<any>;
  onClose: () => void;
  children?: any;
}

interface FieldProps {
  label: string;
  value: string;
  onValue: (value: string) => void;
  [attribute: string]: any;
}
