// Types of the list of invocations, of operations, jobs and the overview, known to every module of the page. Not served.

/** A row of `sys_invocation`, as SQL and the stream give it; columns that are null may be left out. */
type Row = Record<string, any> & { id: string; status: string; target: string };

/** How a status, or an end, is shown. tone: classes. */
type Look = { word: string; sign: string; tone: string };
/** Why it is where it is, in one line; nothing when there is nothing to explain. now: milliseconds. */
type Why = (row: Row, now: number) => string;
/** Numbers of invocations by the name of their look. */
type Counts = Record<string, number>;

/** Filters as they stand in the address: names of fields, and only values that make sense. Times are of RFC 3339. */
type Filters = URLSearchParams;
/** SQL of one value or more. */
type Condition = (values: any) => string;
type FilterValues = Record<string, string | string[]>;
/** The same with other values of one field. */
type WithValues = (filters: Filters, field: string, values: string[]) => Filters;
/** The same with one value more where a field may have many, else with another one. */
type WithValue = (filters: Filters, field: string, value: string) => Filters;
/**
 * word: what is said before its values. many: a row may have any of several values. moment: the value is a time.
 * choices: the values that there are, and their words. topic: its name in the stream where that differs, empty where the
 * stream does not know it.
 */
type Field = {
  word: string;
  sql: Condition;
  many?: boolean;
  moment?: boolean;
  choices?: Record<string, string>;
  topic?: string;
};

/** sort: a name of SORTS, with ` up` behind it. from: empty, or as `List.next` names the row behind which it begins. */
type ListPlace = { sort: string; from: string };
/** SQL of one page and a row more. now: a time, of which the age of what is open is taken. */
type PageSql = (condition: string, place: ListPlace, now: string) => string;
/** What of `ids` is not known and comes before something that is. */
type Between = (ids: string[], known: { has: (id: string) => boolean }) => string[];
/** The list with what a page has now. missing: rows of the list that are not on that page, as they are now. */
type Unmoved = (list: List, page: List, missing: any[]) => List;
/** What the address of the list says. shown: names of columns. */
type ListView = ListPlace & { filters: Filters; shown: string[] };
/**
 * order: ids as they are shown. left: ids that are still shown and match no more. next: where the next page begins, empty
 * when there is none. loaded: the server has answered. page: how it would look if nothing was held in its place, and how
 * many new rows would be there.
 */
type List = {
  rows: Map<string, any>;
  order: string[];
  left: Set<string>;
  next: string;
  loaded: boolean;
  held: number;
  page?: any;
};
/** hold: nothing may move now. */
type UseList = (
  filters: Filters,
  place: ListPlace,
  hold: () => boolean,
) => { list: List; setList: (list: List) => void; live: boolean; failure: string; again: () => void };

type Times = { now: number; zone: "utc" | "local" };
/** rising: it is sorted that way first. */
type Column = { word: string; cell: (row: Row, times: Times) => any; rising?: boolean };
/** With one of them less, or more. */
type Toggled = (all: string[], one: string) => string[];
type ColumnsProps = { shown: string[]; onChange: (shown: string[]) => void };
type StatusBarProps = { counts: Counts | null; chosen: string[]; onToggle: (look: string) => void };
type FilterLineProps = { filters: Filters; onChange: (filters: Filters) => void };
/** Asks for a value of a field; tells none when it is left. old: what it says now. */
type AddProps = { field: string; old: string | null; onAdd: (value?: string) => void };
type ListProps = {
  list: List;
  columns: string[];
  sort: string;
  times: Times;
  ticked: string[];
  current: string;
  onSort: (sort: string) => void;
  onTick: (id: string, range: boolean) => void;
  onTickAll: (all: boolean) => void;
  onCurrent: (id: string) => void;
  onHover: (over: boolean) => void;
};
type RowProps = { row: Row; left: boolean; columns: string[]; times: Times; ticked: boolean; current: boolean };

/**
 * An operation. key: its key on the keyboard. done: what is told afterwards. effect: what is told before, of one row.
 * route: the last part of its path where that is not its name. moves: it may go to another deployment.
 */
type Action = {
  word: string;
  key: string;
  done: string;
  effect: (row: any) => string;
  route?: string;
  danger?: boolean;
  moves?: boolean;
};
type OperationDialogProps = { row: Row; name: string; onClose: () => void };
/** act: carries it out; gives what is told afterwards, or null where nothing is. */
type OperationProps = {
  name: string;
  title: string;
  word?: string;
  effect: any;
  disabled?: boolean;
  act: (reason: string, code?: string) => Promise<any>;
  onClose: () => void;
  children?: any;
};
type BulkProps = { rows: Row[]; filters: Filters; counts: Counts | null; onClear: () => void };
/** ids: null for all that match. */
type BulkDialogProps = { name: string; ids: string[] | null; filters: Filters; onClose: () => void };

type JobState = "running" | "stopped" | "interrupted" | "failed" | "done";
/** How many have one of these looks. */
type SumOf = (counts: Counts, looks: string[]) => number;
/** What a job is behind some ids, whatever came of them. */
type Passed = (job: Job, ids: string[]) => Partial<Job>;
/** What an answer to a request of some ids changes. */
type Advanced = (job: Job, ids: string[], answer: any) => Partial<Job>;
/** Carries out the operation on some ids. */
type SendJob = (job: Job, ids: string[]) => Promise<void>;
/** What a job is asked for. ids: null for all that match the filters. */
type JobAsked = {
  action: string;
  filters: Filters;
  ids: string[] | null;
  total: number;
  reason: string;
  deployment: string;
};
/**
 * One job, as it can be kept as JSON. ids: what is left of those that were ticked, null for all that match `condition`;
 * after: the id behind which it goes on. total: how many there were when it was asked for. unknown: how many were sent
 * without an answer to tell what came of it. watched: ids whose outcome is shown. problem: why it failed or waits.
 */
type Job = {
  id: string;
  action: string;
  words: string;
  reason: string;
  deployment: string;
  condition: string;
  ids: string[] | null;
  after: string;
  total: number;
  done: number;
  failed: number;
  unknown: number;
  failures: { invocation_id: string; error: string }[];
  watched: string[];
  state: JobState;
  problem: string;
  begun: number;
};

/** The figures with their numbers, which are asked for one after the other. */
type WithNumbers = (figures: Figure[], signal: AbortSignal) => Promise<(Figure & { n: number })[]>;
/** A number that leads to what it counts. */
type LinkedNumber = (n: number | undefined, values: FilterValues) => any;
type LinkTo = (filters: Filters, text: any, rest?: object) => any;
/** Cells of a row by their heads. */
type TableColumns = Record<string, (row: any) => any>;

/** A number of the overview and the filter that it leads to. */
type Figure = { name: string; word: string; tone: string; text: string; filters: Filters; sign?: string; service?: string };

/** A key of a page. word: what it does, for the help. */
type Key = [key: string, word: string, run: () => void];
type DialogProps = { title: string; onClose: () => void; onSubmit?: () => void; children?: any; buttons?: any };
/** Gives the decoded JSON, or null for an empty answer. body: becomes JSON. json: is JSON already. */
type Send = (
  method: string,
  path: string,
  options?: { body?: unknown; json?: string; headers?: Record<string, string>; signal?: AbortSignal },
) => Promise<any>;
/** columns: SQL by the names of what is told apart. */
type CountBy = (columns: Record<string, string>, condition: string, signal?: AbortSignal) => Promise<any[]>;
/** Asks SQL. */
type Ask<T> = (sql: string, signal?: AbortSignal) => Promise<T>;
/** ask: is asked every so many milliseconds while somebody looks, more seldom where the answer takes long. inputs: others
 * make all new. */
type UseAnswer = <T>(ask: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[], every?: number) => Asked<T>;
/** A value that several components show. key, kind: where the browser keeps it. */
type MakeStore = <T>(
  value: T,
  key?: string,
  kind?: "localStorage" | "sessionStorage",
) => { get: () => T; set: (changed: T) => void; use: () => T };
