/*
 * The versions of the CNI specification that we speak, as positions in one list, oldest first: so
 * they compare as numbers. The list is the build's (IMDS_GUARD_CNI_VERSIONS), which packagers read
 * from the .pc file too. Pure.
 */
#ifndef IMDS_GUARD_CNI_VERSION_H
#define IMDS_GUARD_CNI_VERSION_H

#define CNI_VERSION_SIZE 16 /* of a version's text, with the NUL */

/* The position of the version with this text; -1 if we do not speak it. */
int cni_version_find(const char *text);

/* The text of the version at a position from 0 to cni_version_newest(). */
void cni_version_text(int position, char out[static CNI_VERSION_SIZE]);

int cni_version_newest(void);

#endif
