// @ts-check
/** What pages are made of. */
export * from "../api/answer.js";
export * from "../api/http.js";
export * from "../logic/time.js";
export * from "../vendor/preact-htm.js";
export * from "./change.js";
export * from "./clock.js";
export * from "./router.js";
export * from "./settings.js";
