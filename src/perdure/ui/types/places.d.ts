// What the pages of services, deployments, objects, waits and SQL work with: global, so that what is served needs not name it.

/** What an asked server said last. data: null before it did. again: asks at once. */
interface Asked<T> {
  data: T | null;
  failure: string;
  again: () => void;
}

/** Where in the page we are. path: decoded parts below `/ui/`; the last one is empty behind a slash, as of an empty key. */
interface Place {
  path: string[];
  search: URLSearchParams;
}

/** What a browser remembers for its reader. */
interface Settings {
  scheme: "system" | "light" | "dark";
  zone: "local" | "utc";
  views: { name: string; search: string }[];
  queries: string[];
}

interface Warning {
  code: string;
  message: string;
}

/** `HandlerMetadata` of the admin API. */
interface Handler {
  name: string;
  ty?: string;
  public: boolean;
  documentation?: string;
  input_description: string;
  output_description: string;
  input_json_schema?: Schema;
  output_json_schema?: Schema;
}

/** `ServiceMetadata` of the admin API. */
interface Service {
  name: string;
  ty: "Service" | "VirtualObject" | "Workflow";
  handlers: Handler[];
  deployment_id: string;
  revision: number;
  public: boolean;
  documentation?: string;
  info?: Warning[];
  retry_policy: {
    initial_interval: string;
    exponentiation_factor: number;
    max_attempts: number | null;
    max_interval: string;
    on_max_attempts: string;
  };
  idempotency_retention: string;
  workflow_completion_retention?: string;
  journal_retention: string;
  inactivity_timeout: string;
  abort_timeout: string;
  [setting: string]: any;
}

/** `DeploymentResponse` of the admin API. open: invocations that are pinned to it. newest: of some service. */
interface Deployment {
  id: string;
  uri: string;
  services: { name: string; revision: number }[];
  sdk_version?: string;
  min_protocol_version: number;
  max_protocol_version: number;
  created_at: string;
  open: number;
  newest: boolean;
}

/** A JSON schema, as far as it is looked at. */
type Schema = Record<string, any>;

/** One field of a form made from a schema. kind: `choice`, `string`, `number` or `integer`. options: JSON of each value, and its word. */
interface SchemaField {
  name: string;
  label: string;
  kind: string;
  options: Record<string, string>;
  needed: boolean;
  initial: string;
}

/**
 * What an invocation waits for. told: the server said so; else it is only known that it has not come.
 * step: the one of the journal that waits, when there is one. id: of an awakeable. since: milliseconds, null when it is not known.
 */
interface Waiting {
  told: boolean;
  kind: string;
  text: string;
  step: Step | null;
  id: string | null;
  since: number | null;
  until: number | null;
  child: string | null;
}

/** What an address of the admin API tells, kept up to date. */
type UseGet = (path: string) => Asked<any>;
/** A page, or what stands for it until there is an answer. beside: what stands beside its title. */
type MakePage = <T>(title: unknown, asked: Asked<T>, body: (data: T) => unknown, beside?: unknown) => unknown;
/** key: tells rows apart. columns: names of fields, or what makes a cell, by their heads. empty: said of no rows. chosen: key of the row that is marked. */
type MakeTable = <T>(
  label: string,
  rows: T[],
  key: keyof T,
  columns: Record<string, keyof T | ((row: T) => any)>,
  empty?: unknown,
  chosen?: string,
) => any;
/** Values of a form, and a field for each: a box to tick for a boolean, else a line of text, or what `as` says. */
type UseForm = <V extends Record<string, any>>(initial: V) => {
  values: V;
  set: (values: V) => void;
  field: (name: keyof V & string, label: string, more?: Record<string, any>) => any;
};

type Search = URLSearchParams | Record<string, string>;
type Address = (path: (string | number)[], search?: Search) => string;
/** A link to a place, by the last part of its path unless there is another text. rest: attributes. */
type MakeLink = (path: string[], text?: any, search?: Search, rest?: object) => any;

/** Follows topics until the returned function is called. Messages come in bunches, one for each frame that is drawn. */
type Follow = (topics: string[], listener: Listener) => () => void;

/** Fields for an object whose properties are all simple, else null. */
type FieldsOf = (schema: Schema) => SchemaField[] | null;
/** JSON of what was filled in; what is empty and optional is left out. */
type JsonOf = (fields: SchemaField[], values: Record<string, string>) => string;
/** Some value of that shape. */
type ExampleOf = (schema: Schema, root?: Schema, depth?: number) => unknown;
/** Asks the server. */
type Load<T> = (signal: AbortSignal) => Promise<T>;
/** How a dialog is opened with its other props, and the dialog while it is open. again: called when it is closed. */
type UseDialog = (dialog: unknown, again: () => void) => [open: (props: object) => void, shown: any];
