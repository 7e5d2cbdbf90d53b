"""``jpki help``: what the residents' guides say to do when something happened to the card."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from cli.context import AppContext, pass_app
from cli.errors import UsageProblemError
from cli.help_topics import HelpTopic, paragraphs, title
from cli.options import Command
from cli.translation import N_, _, english


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicsResult:
    """All topics there are."""

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        with english():
            return {
                "topics": [{"topic": topic.value, "title": title(topic)} for topic in HelpTopic]
            }

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield _("What to do when ...")
        width = max(len(topic.value) for topic in HelpTopic)
        for topic in HelpTopic:
            yield f"  {topic.value:{width}}  {title(topic)}"
        yield _(
            "'jpki help TOPIC' tells more. 'jpki --help' shows the options and commands, 'jpki help"
            " COMMAND' those of a command."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicResult:
    """One topic."""

    topic: HelpTopic

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        with english():
            return {
                "topic": self.topic.value,
                "title": title(self.topic),
                "text": list(paragraphs(self.topic)),
            }

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield title(self.topic)
        for text in paragraphs(self.topic):
            yield ""
            yield text


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandHelpResult:
    """What ``--help`` says of a command."""

    context: click.Context

    def as_json(self) -> dict[str, object]:
        """See docs/json.md."""
        with english():
            return {
                "command": self.context.command_path,
                "text": self.context.get_help().splitlines(),
            }

    def as_text(self) -> Iterator[str]:
        """For people."""
        yield self.context.get_help()


@click.command(
    "help",
    cls=Command,
    help=N_(
        "Tell what to do when a card is lost, blocked, expired and the like. Without TOPIC, list"
        " the topics; with a command's name, show its options."
    ),
)
@click.argument("words", nargs=-1, metavar="[TOPIC|COMMAND]")
@click.pass_context
@pass_app
def help_command(app: AppContext, context: click.Context, *, words: tuple[str, ...]) -> None:
    """Look the topic or command up; no card is needed."""
    if not words:
        app.output.show(TopicsResult())
        return
    topic = next((topic for topic in HelpTopic if (topic.value,) == words), None)
    if topic is not None:
        app.output.show(TopicResult(topic=topic))
        return
    app.output.show(CommandHelpResult(context=_command(context, words)))


def _command(context: click.Context, words: tuple[str, ...]) -> click.Context:
    """The context of the command of that name. What was typed is not shown: it may be a PIN."""
    found = context.find_root()
    for word in words:
        group = found.command
        command = group.get_command(found, word) if isinstance(group, click.Group) else None
        if command is None:
            detail = N_("There is no such topic or command. The topics are: {topics}.")
            topics = ", ".join(topic.value for topic in HelpTopic)
            raise UsageProblemError(detail, context.command_path, topics=topics)
        found = command.context_class(command, info_name=word, parent=found)
    return found
