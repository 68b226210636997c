/* Runs the cases on the C model. */
#include "cases.h"

int main(void)
{
	return cases_run(&backend_model, NULL);
}
