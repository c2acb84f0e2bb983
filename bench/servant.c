// SPDX-License-Identifier: GPL-2.0-only
/* Processes that serve; see servant.h. */
#include "servant.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static double answer_of(struct servant *s)
{
	double value;

	if (read(s->answer, &value, sizeof(value)) != sizeof(value))
		die("a process of the benchmark ended too early");
	return value;
}

struct servant servant_start(void (*start)(void *), double (*serve)(void *),
			     void *with)
{
	int ask[2], answer[2];
	struct servant s;
	double value = 0;
	char question;

	if (pipe2(ask, O_CLOEXEC) || pipe2(answer, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	fflush(NULL);
	s.pid = fork();
	if (s.pid < 0)
		die("fork: %s", strerror(errno));
	if (!s.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ask[1]);
		close(answer[0]);
		if (start)
			start(with);
		do {
			if (write(answer[1], &value, sizeof(value)) !=
			    sizeof(value))
				break;
		} while (read(ask[0], &question, 1) == 1 &&
			 (value = serve(with), true));
		_exit(0);
	}
	close(ask[0]);
	close(answer[1]);
	s.ask = ask[1];
	s.answer = answer[0];
	answer_of(&s);
	return s;
}

double servant_ask(struct servant *s)
{
	if (write(s->ask, "", 1) != 1)
		die("a process of the benchmark is gone");
	return answer_of(s);
}

void servant_stop(struct servant *s)
{
	/* Closing its pipe is not enough: those started later hold that, too. */
	kill(s->pid, SIGKILL);
	close(s->ask);
	close(s->answer);
	if (waitpid(s->pid, NULL, 0) != s->pid)
		die("waitpid: %s", strerror(errno));
}
