// The views there are: each a module that is loaded when it is first shown.
//
// A module exports `show(root, params, leaving)`: it fills `root`, an empty element of its own, and ends what it began
// when the signal `leaving` aborts, which may be before it is done, and is when it throws. One that exports
// `follow(params)` too is told a new query instead of being shown anew.
// `place` says where the way to it stands: the navigation, for all or for admins, or nowhere.

export const VIEWS = {
  "/": { name: "files", icon: "files", place: "all", load: () => import("./files/view.js") },
  "/transfers": { name: "transfers", icon: "transfers", place: "all", load: () => import("./transfers/view.js") },
  "/shares": { name: "shares", icon: "share", place: "all", load: () => import("./shares/view.js") },
  "/search": { name: "search", icon: "search", place: null, load: () => import("./search/view.js") },
  "/bin": { name: "bin", icon: "bin", place: "all", load: () => import("./bin/view.js") },
  "/account": { name: "account", icon: "account", place: null, load: () => import("./account/view.js") },
  "/admin": { name: "admin", icon: "admin", place: "admin", load: () => import("./admin/view.js") },
  "/welcome": { name: "welcome", icon: "info", place: null, load: () => import("./welcome/view.js") },
};
