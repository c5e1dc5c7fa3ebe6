/*
 * Text of others on its way to a terminal or a log.
 */
#ifndef IMDS_GUARD_TEXT_H
#define IMDS_GUARD_TEXT_H

/*
 * Every byte that is no printable ASCII becomes '?': a pod's author chooses its name and, within
 * its namespace, names of interfaces, and neither may move the cursor of whoever looks.
 */
void text_make_printable(char *text);

#endif
