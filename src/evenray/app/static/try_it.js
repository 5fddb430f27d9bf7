import { say } from "./frame.js";
