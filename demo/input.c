// SPDX-License-Identifier: GPL-2.0-only
/* The input file, and SHA-256 of it and of memory. */
#include "demo.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

void input_open(struct input *in, const char *name)
{
	struct stat st;

	in->name = name;
	in->fd = open(name, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0 || fstat(in->fd, &st))
		die("%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		die("%s: not a regular file", name);
	if ((uint64_t)st.st_size > morsel_size(2))
		die("%s: larger than the 1-GiB morsel of this demonstration",
		    name);
	in->size = st.st_size;
}

void sha256(const void *data, size_t size, unsigned char *digest)
{
	if (!EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL))
		die("SHA-256 failed");
}

void sha256_file(const struct input *in, unsigned char *digest)
{
	static unsigned char buffer[MIB];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	off_t at = 0;
	ssize_t n;

	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		die("SHA-256 failed");
	while ((n = pread(in->fd, buffer, sizeof(buffer), at)) > 0) {
		EVP_DigestUpdate(ctx, buffer, n);
		at += n;
	}
	if (n < 0)
		die("%s: %s", in->name, strerror(errno));
	if (!EVP_DigestFinal_ex(ctx, digest, NULL))
		die("SHA-256 failed");
	EVP_MD_CTX_free(ctx);
}
