// What the page uses of the vendored module, typed; hand-written, the module comes without.
export type Node = unknown;
/** What stands in a template. Functions are named so that the parameters of event handlers need no types. */
export type Value = ((...values: any[]) => any) | {} | null | undefined;
export function html(parts: TemplateStringsArray, ...values: Value[]): Node;
export function h(type: unknown, props: object | null, ...children: unknown[]): Node;
export function render(node: Node, parent: Element): void;
export function useState(initial: null | never[]): [any, (value: any) => void];
export function useState<T>(initial: T | (() => T)): [T, (value: T | ((before: T) => T)) => void];
export function useReducer<S, A>(reduce: (state: S, action: A) => S, initial: S): [S, (action: A) => void];
export function useEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useLayoutEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useRef(initial: null): { current: any };
export function useRef<T>(initial: T): { current: T };
export function useMemo<T>(make: () => T, inputs: readonly unknown[]): T;
export function useCallback<T extends (...values: never[]) => unknown>(call: T, inputs: readonly unknown[]): T;
export function createContext<T>(initial: T): { Provider: unknown };
export function useContext<T>(context: { Provider: unknown }): T;
export function useErrorBoundary(caught?: (error: unknown) => void): [unknown, () => void];
