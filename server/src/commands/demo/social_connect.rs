//! `parloir demo --source social-connect`: the visitor writes in a simulated Social Connect, and a contact's tag tells who
//! answers.

mod play;
mod stage;
mod typed;

use anyhow::Result;

use super::viewer::tell;
use stage::Stage;

/// Plays, checks that everything came as it should, and stays up unless it is shown once.
///
/// # Errors
///
/// What did not start, or what did not come.
pub(super) async fn show(once: bool) -> Result<()> {
    let stage = Stage::set().await?;
    stage.introduce()?;
    let played = play::play(&stage).await;
    if let Err(error) = played {
        stage.clear().await;
        return Err(error.context("the demo did not go as it should"));
    }
    tell(format_args!(
        "\nEverything that was expected came, in order, and nobody answered who should not."
    ))?;
    if !once {
        stage.invite()?;
        typed::follow(&stage).await?;
        tell("")?;
    }
    stage.clear().await;
    Ok(())
}
