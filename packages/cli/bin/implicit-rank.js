#!/usr/bin/env node
// Committed, so that npm can link it into a checkout before anything is built.
import "../dist/bin.js";
