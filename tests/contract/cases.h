/* Runs the files of cases. */
#ifndef TESTS_CONTRACT_CASES_H
#define TESTS_CONTRACT_CASES_H

#include "backend.h"

/*
 * Runs every case of tests/contract/cases on a backend, each as a cmocka test of its own, and returns how many failed.
 * 0, with a message on stderr, if the backend cannot run here. `ended`, if any, is called after each case that passed.
 */
int cases_run(const struct backend_ops *ops, void (*ended)(const char *name, struct backend *backend));

#endif
