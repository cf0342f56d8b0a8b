// Types of the list of invocations, of operations, jobs and the overview, known to every module of the page. Not served.

/** A row of `sys_invocation`, as SQL and the stream give it; columns that are null may be left out. */
type Row = Record<string, any> & { id: string; status: string; target: string };

/** Filters as they stand in the address: names of fields, and only values that make sense. Times are of RFC 3339. */
type Filters = URLSearchParams;
/** SQL of one value or more. */
type Condition = (values: any) => string;
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

type JobState = "running" | "stopped" | "interrupted" | "failed" | "done";
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

/** Cells of a row by their heads. */
type TableColumns = Record<string, (row: any) => any>;

/** A number of the overview and the filter that it leads to. */
type Figure = { name: string; word: string; tone: string; text: string; filters: Filters; sign?: string; service?: string };

/** Gives the decoded JSON, or null for an empty answer. body: becomes JSON. json: is JSON already. */
type Send = (
  method: string,
  path: string,
  options?: { body?: unknown; json?: string; headers?: Record<string, string>; signal?: AbortSignal },
) => Promise<any>;
/** Asks SQL. */
type Ask<T> = (sql: string, signal?: AbortSignal) => Promise<T>;
/** ask: is asked every so many milliseconds while somebody looks, more seldom where the answer takes long. inputs: others
 * make all new. */
type UseAnswer = <T>(ask: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[], every?: number) => Asked<T>;
