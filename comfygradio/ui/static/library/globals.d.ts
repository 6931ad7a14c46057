// What the page's global scope holds besides what browsers put there.

/**
 * What Gradio writes into the page; `root` is the address of the app, `username` the name that
 * somebody has logged in with.
 */
declare var gradio_config: { root?: string; username?: string | null } | undefined;

/** What `storage.js` remembers by itself. */
declare var comfygradioMemory: Map<string, string> | undefined;

/** What was typed into before the module of the whole page came; undefined after that. */
declare var comfygradioEarlyInput: (EventTarget | null)[] | undefined;

/** The promise of the module `page/page.js`. */
declare var comfygradioPage: Promise<typeof import("../page/page.js")>;

/** `go` of `page/navigation.js`. */
declare var comfygradioGo: typeof import("../page/navigation.js").go;

/** Imports a module out of one of our files, and tries again; the page's head makes it. */
declare var comfygradioImport: (chunk: string, path: string) => Promise<unknown>;
